"""A state that travels: exported to be committed, imported elsewhere, and never a second incident for it."""

from __future__ import annotations

import json
import shlex

import jsonschema_rs
import pytest

from importer.sandbox import Fault, FaultKind, Faults
from tests.cli.conftest import KEY, Account, Folder, declared

SECRET = "The CFO's laptop"


def elsewhere(folder: Folder, monkeypatch: pytest.MonkeyPatch, name: str = "elsewhere") -> Folder:
    """Go on in a fresh folder with the same files."""
    path = folder.path.parent / name
    path.mkdir()
    for each in folder.path.iterdir():
        if each.is_file():
            (path / each.name).write_bytes(each.read_bytes())
    monkeypatch.chdir(path)
    return Folder(path, folder.capture, folder.environment)


def three(folder: Folder) -> None:
    folder.declare(
        declared("JIRA-1", timeline=[{"at": "2021-03-01T10:05:00Z", "title": "Rolled back"}]),
        declared("JIRA-2", name=SECRET, visibility="private"),
        declared("JIRA-3", follow_ups=[{"title": "Add an alert"}]),
    )
    assert folder.run("apply", "--auto-approve").code == 0


def counts(folder: Folder) -> dict[str, int]:
    result = folder.run("plan", "--json")
    assert result.code == 0, result.err
    return {name: count for name, count in result.json()["summary"].items() if count}


def keys(folder: Folder) -> list[str]:
    return [each["key"] for each in folder.run("state", "list", "--json").json()["bindings"]]


def test_an_exported_state_goes_on_elsewhere_and_plans_empty(
    account: Account, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    three(folder)
    result = folder.run("state", "export", "state.json")
    assert result.code == 0
    assert (
        "3 bindings and 0 unanswered creations, without the values of 1 incident that is or may be private"
        in result.err
    )
    other = elsewhere(folder, monkeypatch)
    assert other.run("state", "import", "state.json").err.startswith("3 bindings added, 0 updated")
    assert counts(other) == {"unchanged": 3}
    assert other.run("apply", "--auto-approve").code == 0
    assert set(account.creations().values()) == {1}
    assert len(account.incidents()) == 3


def test_an_export_is_the_same_bytes_in_a_file_on_stdout_and_after_an_import(
    account: Account, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    three(folder)
    whole = folder.run("state", "export", "--show-private").out
    assert folder.run("state", "export", "state.json", "--show-private").out == ""
    assert (folder.path / "state.json").read_text(encoding="ascii") == whole
    other = elsewhere(folder, monkeypatch)
    other.run("state", "import", "state.json")
    assert other.run("state", "export", "--show-private").out == whole


def test_values_of_private_incidents_leave_only_when_they_are_asked_for(
    account: Account, folder: Folder
) -> None:
    three(folder)
    result = folder.run("state", "export")
    assert "laptop" not in result.out
    assert "Incident JIRA-1" in result.out
    assert '"JIRA-2"' in result.out
    assert KEY not in result.out
    assert "laptop" in folder.run("state", "export", "--show-private").out


def test_an_import_that_is_made_twice_adds_nothing(account: Account, folder: Folder) -> None:
    three(folder)
    folder.run("state", "export", "state.json")
    before = folder.run("state", "export", "--show-private").out
    result = folder.run("state", "import", "state.json")
    assert result.code == 0
    assert "0 bindings added, 0 updated, 0 unanswered creations added" in result.err
    assert folder.run("state", "export", "--show-private").out == before


def test_an_export_of_a_contradicting_state_is_refused_and_nothing_is_taken(
    account: Account, folder: Folder
) -> None:
    three(folder)
    folder.run("state", "export", "state.json")
    document = json.loads((folder.path / "state.json").read_text(encoding="utf-8"))
    document["bindings"][0]["incident_id"] = "01SOMETHINGELSE"
    document["bindings"].append({**document["bindings"][1], "key": "NEW", "incident_id": "01NEW"})
    folder.write("state.json", document)
    result = folder.run("state", "import", "state.json")
    assert result.code == 4
    assert "contradict each other: 'JIRA-1' is INC-" in result.err
    assert "NEW" not in keys(folder)


def test_the_state_of_another_account_is_refused_with_both_names(account: Account, folder: Folder) -> None:
    three(folder)
    folder.run("state", "export", "state.json")
    document = json.loads((folder.path / "state.json").read_text(encoding="utf-8"))
    document["account"]["dashboard_url"] = "https://app.incident.io/other"
    folder.write("state.json", document)
    result = folder.run("state", "import", "state.json")
    assert result.code == 4
    assert "app.incident.io/other" in result.err


def test_an_imported_state_of_another_account_plans_nothing_in_this_one(
    account: Account, other_account: Account, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    three(folder)
    folder.run("state", "export", "state.json")
    other = elsewhere(folder, monkeypatch)
    other.run("state", "import", "state.json")
    monkeypatch.setenv("INCIDENT_ENDPOINT", other_account.url)
    result = other.run("apply", "--auto-approve")
    assert result.code == 4
    assert other_account.incidents() == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is not a state export, or is damaged"),
        ("<<<<<<< HEAD\n{}", "is not a state export, or is damaged"),
        ('{"format_version": "9.0"}', "format version 9.0"),
        (None, "cannot read state.json"),
    ],
)
def test_what_is_no_export_is_an_error_and_makes_no_state(
    folder: Folder, content: str | None, message: str
) -> None:
    if content is not None:
        folder.write("state.json", content)
    result = folder.run("state", "import", "state.json")
    assert result.code == 1
    assert message in result.err
    assert not (folder.path / ".importer").exists()


def test_an_export_takes_the_place_of_an_earlier_one_and_of_nothing_else(
    account: Account, folder: Folder
) -> None:
    three(folder)
    assert folder.run("state", "export", "state.json").code == 0
    assert folder.run("state", "export", "state.json").code == 0
    refused = folder.run("state", "export", "incidents.json")
    assert refused.code == 1
    assert "importer did not write it" in refused.err


def test_without_a_state_there_is_nothing_to_export(folder: Folder) -> None:
    result = folder.run("state", "export", "state.json")
    assert result.code == 1
    assert "there is no state" in result.err
    assert not (folder.path / "state.json").exists()


def test_an_export_beside_the_files_is_no_file_of_incidents(account: Account, folder: Folder) -> None:
    three(folder)
    folder.run("state", "export", "state.json")
    validated = folder.run("validate")
    assert (validated.code, validated.err) == (0, "")
    assert counts(folder) == {"unchanged": 3}


def test_an_export_fits_the_schema_that_the_program_prints(account: Account, folder: Folder) -> None:
    three(folder)
    schema = folder.run("schema", "state").json()
    assert jsonschema_rs.validator_for(schema).is_valid(folder.run("state", "export").json())


def unanswered(*, looks_after: int) -> Faults:
    """Return faults that lose the answer to each creation, and refuse the look at the account after it."""
    looks = frozenset(range(looks_after + 1, 99))
    look = Fault(FaultKind.ERROR_BEFORE, on="GET /v2/incidents", nth=looks, status=404)
    return Faults((Fault(FaultKind.DROP_AFTER, on="POST /v2/incidents"), look))


@pytest.mark.slow
def test_an_unanswered_creation_is_settled_by_whoever_imports_it(
    account: Account, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.declare(declared("A"))
    account.sandbox.faults = unanswered(looks_after=1)
    assert folder.run("apply", "--auto-approve", "--max-wait", "0").code == 3
    account.sandbox.faults = Faults()
    folder.run("state", "export", "state.json")
    other = elsewhere(folder, monkeypatch)
    assert "1 unanswered creation added" in other.run("state", "import", "state.json").err
    other.write("importer.yaml", "version: 1\nidentity: {namespace: changed-since}\n")
    assert counts(other) == {"pending": 1}
    assert other.run("apply", "--auto-approve").code == 0
    assert len(account.incidents()) == 1


# -- the marker field: a team without a state ----------------------------------------------------------

MARKED = "version: 1\nidentity: {marker_field: Legacy ID}\n"


def legacy_ids(account: Account) -> list[str]:
    return [
        value["value_text"]
        for each in account.incidents()
        for entry in each["custom_field_entries"]
        if entry["custom_field"]["name"] == "Legacy ID"
        for value in entry["values"]
    ]


def marked(folder: Folder) -> None:
    folder.write("importer.yaml", MARKED)
    folder.declare(*(declared(f"JIRA-{number}") for number in range(1, 6)))


def test_two_runs_without_a_state_make_one_incident_for_each_key(
    account: Account, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    marked(folder)
    assert folder.run("apply", "--auto-approve").code == 0
    assert sorted(legacy_ids(account)) == [f"JIRA-{number}" for number in range(1, 6)]
    for name in ("second", "third"):
        fresh = elsewhere(folder, monkeypatch, name)
        assert counts(fresh) == {"unchanged": 5}
        again = fresh.run("apply", "--auto-approve")
        assert again.code == 0, again.err
    assert len(account.incidents()) == 5


@pytest.mark.slow
def test_a_run_that_died_with_its_state_is_found_by_the_next_one(
    account: Account, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    marked(folder)
    account.sandbox.faults = unanswered(looks_after=2)
    assert folder.run("apply", "--auto-approve", "--limit", "1", "--max-wait", "0").code == 3
    account.sandbox.faults = Faults()
    fresh = elsewhere(folder, monkeypatch)
    assert counts(fresh) == {"create": 4, "unchanged": 1}
    assert fresh.run("apply", "--auto-approve").code == 0
    assert sorted(legacy_ids(account)) == [f"JIRA-{number}" for number in range(1, 6)]


def test_a_run_without_a_state_edits_what_the_files_changed_and_adds_what_is_new(
    account: Account, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    marked(folder)
    folder.run("apply", "--auto-approve")
    fresh = elsewhere(folder, monkeypatch)
    fresh.declare(
        declared("JIRA-1", name="Another name"), *(declared(f"JIRA-{number}") for number in range(2, 7))
    )
    assert counts(fresh) == {"create": 1, "update": 1, "unchanged": 4}
    fresh.run("apply", "--auto-approve")
    last = elsewhere(fresh, monkeypatch, "last")
    assert counts(last) == {"unchanged": 6}
    assert len(account.incidents()) == 6


def test_the_marker_is_sent_with_the_creation_and_is_no_drift_afterwards(
    account: Account, folder: Folder
) -> None:
    marked(folder)
    folder.write("importer.yaml", MARKED + "on_drift: fail\n")
    assert folder.run("apply", "--auto-approve").code == 0
    assert not [each for each in account.sandbox.journal().requests if "edit" in each]
    planned = folder.run("plan")
    assert "Legacy ID" not in planned.out
    assert counts(folder) == {"unchanged": 5}


def test_a_marker_that_somebody_cleared_is_written_back(account: Account, folder: Folder) -> None:
    marked(folder)
    folder.run("apply", "--auto-approve")
    first = account.incidents()[0]
    field = next(
        each["custom_field"]["id"]
        for each in first["custom_field_entries"]
        if each["custom_field"]["name"] == "Legacy ID"
    )
    account.edit(first, custom_field_entries=[{"custom_field_id": field, "values": []}])
    folder.write("importer.yaml", MARKED + "on_drift: keep\n")
    assert counts(folder) == {"update": 1, "unchanged": 4}
    folder.run("apply", "--auto-approve")
    assert len(legacy_ids(account)) == 5


def test_what_was_adopted_before_carries_its_key_after_the_next_apply(
    account: Account, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.declare(declared("JIRA-1"))
    folder.run("apply", "--auto-approve")
    folder.write("importer.yaml", MARKED)
    assert counts(folder) == {"update": 1}
    folder.run("apply", "--auto-approve")
    assert legacy_ids(account) == ["JIRA-1"]
    assert counts(elsewhere(folder, monkeypatch)) == {"unchanged": 1}


def test_check_tells_how_to_make_the_field_that_the_account_lacks(account: Account, folder: Folder) -> None:
    folder.write("importer.yaml", "version: 1\nidentity: {marker_field: It's the key}\n")
    result = folder.run("check", "--json")
    assert result.code == 1
    (missing,) = (each for each in result.json()["diagnostics"] if each["code"] == "marker-field-missing")
    words, _, command = missing["hint"].partition(":\n")
    assert words.endswith("under Settings, Custom fields; or with a key that has the role manage_settings")
    arguments = shlex.split(command.replace("$INCIDENT_API_KEY", KEY).replace("\\\n", " "))
    assert arguments[:4] == ["curl", f"{account.url}/v2/custom_fields", "-H", f"Authorization: Bearer {KEY}"]
    assert json.loads(arguments[5]) == {
        "name": "It's the key",
        "description": "Source key",
        "field_type": "text",
    }
    assert "curl " in folder.run("check").err


def test_check_warns_of_the_default_namespace_and_keeps_it_after_the_first_apply(
    account: Account, folder: Folder
) -> None:
    def hint() -> str:
        result = folder.run("check", "--json")
        assert result.code == 0
        (found,) = (each for each in result.json()["diagnostics"] if each["code"] == "default-namespace")
        text: str = found["hint"]
        return text

    folder.declare(declared("JIRA-1"))
    assert hint().startswith("before the first apply, set `identity.namespace`")
    assert "default-namespace" not in folder.run("plan", "--json").out
    folder.run("apply", "--auto-approve")
    assert hint().startswith("keep it")
    folder.write("importer.yaml", "identity: {namespace: acme}\n")
    assert "default-namespace" not in folder.run("check", "--json").out


def test_an_account_with_the_field_is_ready(account: Account, folder: Folder) -> None:
    folder.write("importer.yaml", MARKED)
    assert "Ready." in folder.run("check").out


def test_forget_says_what_is_true_where_a_marker_field_finds_the_incident(
    account: Account, folder: Folder
) -> None:
    folder.write("importer.yaml", "version: 1\nidentity: {marker_field: Legacy ID}\n")
    folder.declare(declared("A"))
    assert folder.run("apply", "--auto-approve").code == 0
    forgotten = folder.run("state", "forget", "A")
    assert "finds INC-1 again by the marker field 'Legacy ID'" in forgotten.err
    assert "creation" not in forgotten.err
    assert folder.run("plan", "--detailed-exitcode").code == 0


def test_forget_says_that_a_number_waits_for_its_adoption(account: Account, folder: Folder) -> None:
    folder.declare(declared("A", external_id=7))
    assert folder.run("apply", "--auto-approve").code == 0
    forgotten = folder.run("state", "forget", "A")
    assert "blocks it" in forgotten.err and "importer adopt A INC-7" in forgotten.err
    assert "creation" not in forgotten.err
    (change,) = folder.run("plan", "--json").json()["incident_changes"]
    assert change["actions"] == ["blocked"]


def test_forget_says_that_apply_creates_again_where_nothing_finds_the_incident(
    account: Account, folder: Folder
) -> None:
    folder.declare(declared("A"))
    assert folder.run("apply", "--auto-approve").code == 0
    forgotten = folder.run("state", "forget", "A")
    assert "sends its creation again" in forgotten.err and "a duplicate of INC-1" in forgotten.err
    (change,) = folder.run("plan", "--json").json()["incident_changes"]
    assert change["actions"] == ["create"]


def test_forget_makes_no_promise_about_a_marker_that_was_never_written(
    account: Account, folder: Folder
) -> None:
    folder.declare(declared("A"))
    assert folder.run("apply", "--auto-approve").code == 0
    folder.write("importer.yaml", "version: 1\nidentity: {marker_field: Legacy ID}\n")
    forgotten = folder.run("state", "forget", "A")
    assert "If the marker field 'Legacy ID' of INC-1 has the key" in forgotten.err
    assert "sends its creation again" in forgotten.err


def test_an_import_binds_a_new_state_to_its_account_at_once_or_refuses(
    account: Account, folder: Folder
) -> None:
    folder.declare(declared("A"))
    assert folder.run("apply", "--auto-approve").code == 0
    assert folder.run("state", "export", "state.json").code == 0
    exported = json.loads((folder.path / "state.json").read_text())
    imported = folder.run("state", "import", "state.json", "--state", "new.db")
    assert (imported.code, account.url in imported.err) == (0, True)
    assert folder.run("plan", "--sandbox", "--state", "new.db").code == 4
    sent = {"key": "B", "idempotency_key": "k"}
    for name, rest in {"bound": {}, "sent": {"bindings": [], "unanswered": [sent]}}.items():
        folder.write(f"{name}.json", {**exported, "account": None, **rest})
        assert folder.run("state", "import", f"{name}.json", "--state", f"{name}.db").code == 1


def test_forget_says_what_becomes_of_a_creation_that_was_never_answered(
    account: Account, folder: Folder
) -> None:
    folder.declare(declared("A"))
    assert folder.run("apply", "--auto-approve").code == 0
    assert folder.run("state", "export", "state.json").code == 0
    exported = json.loads((folder.path / "state.json").read_text())
    sent = [{"key": "A", "idempotency_key": "k"}]
    folder.write("sent.json", {**exported, "bindings": [], "unanswered": sent})
    for marker, words in ((None, "and the first one arrived"), ("Legacy ID", "by the marker field")):
        identity = {"marker_field": marker} if marker else {}
        folder.write("importer.yaml", {"version": 1, "identity": identity, "state": f"{marker}.db"})
        assert folder.run("state", "import", "sent.json").code == 0
        assert words in folder.run("state", "forget", "A").err
