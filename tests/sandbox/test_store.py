"""Durability, threads, processes and values of the sandbox."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from importer.sandbox import (
    Fault,
    FaultKind,
    Faults,
    NoReply,
    SandboxOptions,
    identifiers,
    moments,
    open_sandbox,
)
from importer.sandbox.payload import read
from importer.sandbox.problems import Refusal, required
from importer.sandbox.shapes import CREATE_INCIDENT

KEY = {"Authorization": "Bearer sandbox-key"}


def client(sandbox):
    return httpx.Client(
        transport=httpx.WSGITransport(app=sandbox.app), base_url="http://sandbox", headers=KEY
    )


def payload(key):
    return {"idempotency_key": key, "visibility": "public", "mode": "retrospective"}


CREATE_FOREVER = """
import sys
from pathlib import Path
import httpx
from importer.sandbox import SandboxOptions, open_sandbox
sandbox = open_sandbox(Path(sys.argv[1]), options=SandboxOptions(rate_limit=None))
http = httpx.Client(transport=httpx.WSGITransport(app=sandbox.app), base_url="http://sandbox",
                    headers={"Authorization": "Bearer sandbox-key"})
for number in range(100_000):
    body = {"idempotency_key": f"{sys.argv[2]}-{number}", "visibility": "public", "mode": "retrospective"}
    answer = http.post("/v2/incidents", json=body)
    print(answer.json()["incident"]["reference"], flush=True)
    if number == int(sys.argv[3]):
        break
"""


def test_committed_changes_survive_a_kill(tmp_path):
    path = tmp_path / "sandbox.db"
    process = subprocess.Popen(
        [sys.executable, "-c", CREATE_FOREVER, str(path), "a", "-1"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    answered = [process.stdout.readline().strip() for _ in range(30)]
    os.kill(process.pid, signal.SIGKILL)
    answered += process.stdout.read().split("\n")[:-1]
    process.stdout.close()
    process.wait()
    sandbox = open_sandbox(path)
    with client(sandbox) as http:
        query = {"page_size": 250, "sort_by": "created_at_oldest_first"}
        kept = [each["reference"] for each in http.get("/v2/incidents", params=query).json()["incidents"]]
        again = http.post("/v2/incidents", json=payload("a-0")).json()["incident"]["reference"]
    assert kept[: len(answered)] == answered[: len(kept)]
    assert len(kept) >= min(len(answered), 250)
    assert again == "INC-1"
    sandbox.close()


def test_two_processes_share_a_file(tmp_path):
    path = tmp_path / "sandbox.db"
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", CREATE_FOREVER, str(path), name, "19"], stdout=subprocess.PIPE, text=True
        )
        for name in ("a", "b")
    ]
    answered = [line for process in processes for line in process.communicate()[0].split()]
    assert len(set(answered)) == 40


def test_an_option_of_another_process_is_known(tmp_path):
    sandboxes = [open_sandbox(tmp_path / "sandbox.db") for _ in range(2)]
    with client(sandboxes[0]) as first, client(sandboxes[1]) as second:
        fields = first.get("/v2/custom_fields").json()["custom_fields"]
        query = {"custom_field_id": next(each["id"] for each in fields if each["name"] == "Region")}
        before = second.get("/v1/custom_field_options", params=query).json()["custom_field_options"]
        first.post("/v1/custom_field_options", json={**query, "value": "eu-north-1"})
        after = second.get("/v1/custom_field_options", params=query).json()["custom_field_options"]
    assert len(after) == len(before) + 1
    for sandbox in sandboxes:
        sandbox.close()


def test_one_key_from_many_threads_makes_one_incident(tmp_path):
    sandbox = open_sandbox(tmp_path / "sandbox.db", options=SandboxOptions(rate_limit=None))
    together = threading.Barrier(8)

    def create(number):
        together.wait()
        with client(sandbox) as http:
            return [
                http.post("/v2/incidents", json=payload(f"k{each}")).json()["incident"]["id"]
                for each in range(10)
            ]

    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(create, range(8)))
    assert all(each == made[0] for each in made)
    assert sandbox.journal().creations == {f"k{each}": 1 for each in range(10)}
    assert sandbox.journal().requests == {"POST /v2/incidents 200": 80}
    sandbox.close()


def test_journal_of_creations_and_announcements_outlives_the_process(tmp_path):
    sandbox = open_sandbox(tmp_path / "sandbox.db")
    with client(sandbox) as http:
        http.post("/v2/incidents", json={**payload("k"), "mode": "test"})
    sandbox.close()
    again = open_sandbox(tmp_path / "sandbox.db")
    assert again.journal().creations == {"k": 1}
    assert again.journal().announcements == ("INC-1 was declared in mode test",)
    assert again.journal().requests == {}
    again.close()


def test_a_file_of_another_format_is_refused(tmp_path):
    path = tmp_path / "sandbox.db"
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(ValueError, match="another version"):
        open_sandbox(path)


@given(st.integers(min_value=-62_135_596_800_000, max_value=253_402_300_799_999))
def test_a_time_is_read_as_it_was_written(milliseconds):
    text = moments.to_text(milliseconds)
    assert moments.from_text(text) == milliseconds
    assert not text.endswith(("0Z", ".Z")) or "." not in text


@pytest.mark.parametrize(
    "text",
    [
        "2023-01-01",
        "2023-01-01T00:00:00",
        "2023-01-01 00:00:00Z",
        "2023-02-30T00:00:00Z",
        "x",
        "",
        "2023-01-01T00:00:00Z\n",
    ],
)
def test_an_invalid_time_is_refused(text):
    with pytest.raises(ValueError, match=r".+"):
        moments.from_text(text)


@given(st.lists(st.integers(min_value=0, max_value=2**48 - 1), min_size=2, max_size=5))
def test_identifiers_increase_even_if_the_clock_stands_still(instants):
    now = instants[0]
    made = [identifiers.counted(now, count, "account") for count in range(1, len(instants) + 1)]
    assert made == sorted(set(made))
    assert all(len(identifier) == 26 for identifier in made)
    assert identifiers.counted(now, 1, "account") != identifiers.counted(now, 1, "another")


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*CREATE_INCIDENT.required, *CREATE_INCIDENT.optional, "values"]),
            inner,
            max_size=6,
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_a_payload_without_problems_is_kept_in_full(document):
    clean, problems = read(CREATE_INCIDENT, document)
    if not isinstance(document, dict):
        assert [problem.code for problem in problems] == ["invalid_value"]
    elif not problems:
        known = {*CREATE_INCIDENT.required, *CREATE_INCIDENT.optional}
        assert set(clean) == {name for name in known if document.get(name) is not None}


@pytest.fixture(scope="module")
def sandbox():
    opened = open_sandbox(None, options=SandboxOptions(rate_limit=None))
    yield opened
    opened.close()


@given(JSON)
def test_any_json_gets_an_answer(sandbox, document):
    body = {**document, **payload("k")} if isinstance(document, dict) else document
    with client(sandbox) as http:
        answer = http.post("/v2/incidents", json=body)
    assert answer.status_code in {200, 400, 422}


def test_a_refusal_reads_as_a_sentence():
    refusal = Refusal(422, "validation_error", [required("name"), required("visibility")])
    assert str(refusal) == "422 validation_error: name is required; visibility is required"


def test_a_request_that_outlives_its_sandbox_is_a_dropped_connection():
    def close_meanwhile(_seconds):
        closing.close()

    closing = open_sandbox(None, sleep=close_meanwhile)
    closing.faults = Faults((Fault(FaultKind.LATENCY),))
    with client(closing) as late, pytest.raises(NoReply):
        late.post("/v2/incidents", json=payload("k"))
