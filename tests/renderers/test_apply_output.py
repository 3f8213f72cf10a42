"""What an apply says while it runs and when it ends: events, the last words, and the report."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from importer.apply.summary import ApplyCounts, ApplySummary
from importer.formats import schemas
from importer.model import (
    Adopted,
    Applied,
    Diagnostic,
    Failed,
    Location,
    NotAttempted,
    Outcome,
    Severity,
    Unknown,
)
from importer.renderers import events, report
from importer.renderers.outcomes import outcomes
from tests import plans
from tests.conftest import GOLDEN

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
PLACE = Location("legacy/jira.csv", 88, 4)
LIVE = plans.live(77, plans.SHORT)
REFUSED = [
    Failed(
        f"JIRA-{n}", "is_required", f"a severity is required [request r{n}]", f"r{n}", Location("a.yaml", n)
    )
    for n in range(1, 9)
]
NOT_MADE = Diagnostic(
    Severity.WARNING,
    "not-attempted",
    "follow_ups were not created: this key may not list them",
    "incident 'JIRA-96': follow_ups.Add an alert",
    locations=(PLACE,),
)
INCOMPLETE: tuple[Outcome, ...] = (
    Applied("JIRA-96", LIVE, created=True, missing=(NOT_MADE,)),
    Adopted("JIRA-97", LIVE, missing=(replace(NOT_MADE, detail="", locations=()),)),
)
MIXED: tuple[Outcome, ...] = (
    Applied("JIRA-90", LIVE, created=True),
    Applied("JIRA-91", LIVE, created=False),
    Adopted("JIRA-92", LIVE),
    *REFUSED,
    Failed("=cmd", "invalid_value", "\x1b[2Jno", "", PLACE),
    Unknown("JIRA-93", "no answer within 60 s", PLACE),
    Unknown("JIRA-94", "no answer within 60 s", Location("a.yaml", 4)),
    NotAttempted("JIRA-95", PLACE),
)
ENDINGS = {
    "complete": ApplySummary(MIXED[:2], 1203, 0, "", "importer plan"),
    "partial": ApplySummary(
        MIXED, 1203, 3, "8 failures, the limit set with --max-failures or --fail-fast", "importer apply"
    ),
    "unknown": ApplySummary(MIXED[-3:-1], 0, 0, "", "importer apply incidents"),
    "blocked": ApplySummary(MIXED[:1], 0, 2, "", "importer plan"),
    "incomplete": ApplySummary((*MIXED[:1], *INCOMPLETE), 4, 0, "", "importer plan"),
}
WHOLE = ApplyCounts(created=1, updated=1, adopted=1, unchanged=1203, failed=9, unknown=2, not_attempted=1)


@pytest.mark.parametrize("width", [80, 200])
@pytest.mark.parametrize("name", ENDINGS)
def test_the_last_words_read_as_they_should(name, width, golden):
    golden(f"apply/{name}-{width}.txt", outcomes(ENDINGS[name], width=width, colour=False))


def test_the_last_words_in_colour_are_the_same_words():
    coloured = outcomes(ENDINGS["partial"], width=80, colour=True)

    assert "\x1b[31mError:\x1b[0m" in coloured


def test_every_outcome_is_counted_once():
    assert ENDINGS["partial"].counts == WHOLE
    assert sum(WHOLE.as_dict().values()) == len(MIXED) + 1203
    assert not WHOLE.is_whole


def test_the_stream_reads_as_it_should(golden):
    stream = [
        events.version("0.1.0", at=NOW),
        *(events.planned_change(change, at=NOW) for change in plans.PLANS["mixed"].changes),
        events.plan_reviewed(left=2, gone=["JIRA-7"], at=NOW),
        events.apply_start(plans.CREATE_SHORT, at=NOW),
        events.apply_progress(done=1, total=12, seconds_left=None, at=NOW),
        events.apply_progress(done=2, total=12, seconds_left=30, at=NOW),
        events.rate_limited(
            until=NOW + timedelta(seconds=90), reason="too many creations", scope="creations", at=NOW
        ),
        events.paused(max_seconds=300, reason="the server does not answer", at=NOW),
        *(events.ended(outcome, at=NOW) for outcome in MIXED),
        events.diagnostic(plans.UNKNOWN_SEVERITY, at=NOW),
        events.diagnostic(plans.INACTIVE_USER, at=NOW),
        *(events.apply_summary(summary, at=NOW) for summary in ENDINGS.values()),
    ]

    assert all(line.count("\n") == 1 and line.isascii() for line in stream)
    assert all(list(json.loads(line))[:4] == ["type", "@level", "@message", "@timestamp"] for line in stream)
    golden("apply/events.jsonl", "".join(stream))


def test_every_event_is_as_its_schema_says_and_has_no_key_that_it_does_not_name():
    stream = [json.loads(line) for line in (GOLDEN / "apply/events.jsonl").read_text("utf-8").splitlines()]
    schema = schemas.read("event")
    described = {rule["if"]["properties"]["type"]["const"] for rule in schema["allOf"]}
    for event in stream:
        jsonschema.validate(event, schema)
        known = schema["properties"].keys() | schema["$defs"][event["type"]]["properties"].keys()
        assert event.keys() <= known
    assert {event["type"] for event in stream} == described


def test_a_wait_that_is_over_lasts_no_time():
    line = events.rate_limited(until=NOW, reason="slow", scope="requests", at=NOW + timedelta(seconds=5))

    assert json.loads(line)["seconds"] == 0


def test_the_report_reads_as_it_should(golden):
    golden("apply/report.json", report.to_json((*MIXED, *INCOMPLETE), ()))
    golden("apply/report.csv", report.to_csv((*MIXED, *INCOMPLETE), ()))


def test_the_report_says_first_who_wrote_it():
    assert next(iter(json.loads(report.to_json([], ())))) == "importer_report"
    assert report.to_csv([], ()).startswith("importer_report,")


@given(
    st.lists(st.builds(Unknown, st.text(st.characters(codec=None)), st.text(), st.just(PLACE)), max_size=4)
)
def test_no_cell_of_the_report_is_a_formula(unknown):
    table = list(csv.reader(io.StringIO(report.to_csv(unknown, ()), newline="")))

    assert len(table) == len(unknown) + 1
    assert report.to_csv(unknown, ()).encode()
    assert not [cell for row in table for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


@given(st.lists(st.builds(Unknown, st.text(), st.text(), st.just(PLACE)), max_size=4))
def test_the_json_report_keeps_every_key_as_it_is(unknown):
    rows = json.loads(report.to_json(unknown, ()))["incidents"]

    assert [(row["key"], row["message"]) for row in rows] == [(each.key, each.message) for each in unknown]


@pytest.mark.parametrize(
    ("codes", "words"),
    [
        (["missing_required_scope"] * 2, "give the API key the missing role, then run: x"),
        (["unauthenticated"], "set a valid API key, then run: x"),
        (["not-attempted"], "see above what the account or the API key lacks, then run: x"),
        (["missing_required_scope", "is_required"], "fix what failed, then run: x"),
    ],
)
def test_the_next_step_is_the_thing_to_do(codes: list[str], words: str) -> None:
    at = Location("a.yaml", 1)
    ending = ApplySummary([Failed("A", each, "no", "", at) for each in codes], 0, 0, "", "x")
    assert outcomes(ending, width=80, colour=False).endswith(f"Next: {words}\n")


def test_what_was_not_attempted_for_lack_of_a_role_is_not_only_run_again() -> None:
    at = Location("a.yaml", 1)
    why = Diagnostic(Severity.WARNING, "not-attempted", "this API key lacks a role for it")
    ending = ApplySummary([NotAttempted("A", at, (why,))], 0, 0, "", "x")
    assert "Next: see above what the account" in outcomes(ending, width=80, colour=False)
