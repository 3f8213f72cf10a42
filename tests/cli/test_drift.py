"""What somebody edited in incident.io: reported by itself, and kept or overwritten as the files say."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Account, Folder, declared


@pytest.fixture
def applied(folder: Folder, account: Account) -> Folder:
    """Return a folder whose two incidents are in the account, with their summaries."""
    folder.write("importer.yaml", "version: 1\n")
    folder.declare(*(declared(key, summary="as declared") for key in "AB"))
    assert folder.run("apply", "--auto-approve", "--parallelism", "1").code == 0
    return folder


def edit(account: Account, number: int = 0, **fields: str) -> None:
    account.edit(account.incidents()[number], **fields)


def summaries(account: Account) -> list[str]:
    return [each["summary"] for each in account.incidents()]


def test_without_drift_the_report_is_empty_and_ends_well(applied: Folder) -> None:
    applied.declare(declared("A", summary="changed in the file"), declared("C"))
    result = applied.run("plan", "--drift-only")
    assert (result.code, "No drift:" in result.out) == (0, True)
    assert "were not compared" in result.err and "incident 'C'" in result.err
    assert applied.run("plan", "--detailed-exitcode").code == 2


def test_the_report_has_what_was_edited_and_nothing_else(applied: Folder, account: Account) -> None:
    edit(account, summary="edited by somebody")
    applied.declare(
        declared("A", name="Changed in the file", summary="as declared"),
        declared("B", summary="changed in the file"),
        declared("C"),
    )
    result = applied.run("plan", "--drift-only")
    assert result.code == 2
    assert 'incident "A" (INC-1) has drifted' in result.out
    assert '"as declared" -> "edited by somebody"' in result.out
    assert "# edited in incident.io on 20" in result.out
    for word in ("Changed in the file", "changed in the file", '"C"', "requests", "will be"):
        assert word not in result.out


@pytest.mark.parametrize("policy", ["overwrite", "keep", "fail"])
def test_the_report_is_the_same_whatever_apply_would_do_about_it(
    applied: Folder, account: Account, policy: str
) -> None:
    edit(account, summary="edited by somebody")
    applied.write("importer.yaml", f"version: 1\non_drift: {policy}\n")
    result = applied.run("plan", "--drift-only", "--json")
    assert result.code == 2
    report = result.json()
    assert (report["applyable"], report["errored"]) == (False, False)
    assert report["scope"]["drift_only"]
    (change,) = report["incident_changes"]
    assert [(each["field"], each["reason"]) for each in change["changed_fields"]] == [
        ("summary", "edited in incident.io")
    ]


def test_what_belongs_to_people_is_no_drift(applied: Folder, account: Account) -> None:
    edit(account, summary="edited by somebody")
    applied.write("importer.yaml", "version: 1\nignore_changes: [summary]\n")
    assert applied.run("plan", "--drift-only").code == 0


def test_a_report_is_not_applied(applied: Folder, account: Account) -> None:
    edit(account, summary="edited by somebody")
    refused = applied.run("plan", "--drift-only", "--out", "plan.json")
    assert refused.code == 1
    assert "--json-out" in refused.err
    assert applied.run("plan", "--drift-only", "--json-out", "report.json").code == 2
    shown = applied.run("show", "report.json")
    assert "has drifted" in shown.out
    result = applied.run("apply", "report.json")
    assert result.code == 4
    assert "--drift-only" in result.err
    assert summaries(account) == ["edited by somebody", "as declared"]


def test_edits_are_kept_where_the_files_say_so_and_overwritten_elsewhere(
    applied: Folder, account: Account
) -> None:
    for number in (0, 1):
        edit(account, number, summary="edited by somebody")
    applied.declare(
        declared("A", summary="as declared", on_drift="keep"), declared("B", summary="as declared")
    )
    result = applied.run("apply", "--auto-approve")
    assert result.code == 0
    assert "drift-kept" in result.err or "are kept" in result.err
    assert summaries(account) == ["edited by somebody", "as declared"]
    assert applied.run("plan", "--detailed-exitcode").code == 0


def test_a_source_has_its_own_policy_however_its_files_are_found(applied: Folder, account: Account) -> None:
    applied.declare(declared("A", summary="new", ignore_changes=[]), name="a.json")
    applied.declare(declared("B", summary="new"), name="b.json")
    (applied.path / "incidents.json").unlink()
    applied.write(
        "importer.yaml", "version: 1\nsources: ['*.json', {path: '[ab].json', ignore_changes: [summary]}]\n"
    )
    for words in ([], ["a.json", "b.json"], ["."]):
        planned = applied.run("plan", "--json", *words).json()
        assert [each["key"] for each in planned["incident_changes"]] == ["A"], words


def test_a_lost_state_makes_a_report_of_what_may_be_drift(folder: Folder, account: Account) -> None:
    folder.write("importer.yaml", "version: 1\nidentity: {marker_field: Legacy ID}\non_drift: keep\n")
    folder.declare(declared("A", summary="as declared"))
    assert folder.run("apply", "--auto-approve").code == 0
    for each in (folder.path / ".importer").glob("state.db*"):
        each.unlink()
    edit(account, summary="edited by somebody")
    result = folder.run("plan", "--drift-only")
    assert result.code == 2
    assert "# config changed, or edited in incident.io on 20" in result.out
    assert "cannot tell" in folder.run("plan").err


SAME_FIELDS = {
    "custom_fields.customers affected": "other case",
    "custom_fields.Customers  Affected": "other spacing",
    "custom_fields.Legacy count": "an alias",
}


@pytest.mark.parametrize("word", SAME_FIELDS, ids=SAME_FIELDS.values())
@pytest.mark.parametrize("where", ["importer.yaml", "source", "incident"])
def test_a_name_in_ignore_changes_resolves_as_everywhere(
    folder: Folder, account: Account, word: str, where: str
) -> None:
    ignoring = {"ignore_changes": [word]}
    settings: dict[str, object] = {
        "version": 1,
        "aliases": {"custom_fields": {"Legacy count": "Customers affected"}},
        "sources": [{"path": "incidents.json"} | (ignoring if where == "source" else {})],
    }
    folder.write("importer.yaml", settings | (ignoring if where == "importer.yaml" else {}))
    own = ignoring if where == "incident" else {}
    folder.declare(declared("A", custom_fields={"Customers affected": 5}, **own))
    assert folder.run("apply", "--auto-approve").code == 0
    folder.declare(declared("A", custom_fields={"Customers affected": 6}, **own))
    assert folder.run("plan", "--detailed-exitcode").code == 0


@pytest.mark.parametrize(
    ("word", "attribute"),
    [
        ("roles.incident lead", {"roles": {"Incident Lead": "bob@example.com"}}),
        ("timestamps.resolved at", {"timestamps": {"Resolved at": "2021-03-01T12:00:00Z"}}),
        ("timeline.rolled  back", {"timeline": [{"at": "2021-03-01T10:30:00Z", "title": "Rolled back"}]}),
    ],
)
def test_names_of_every_kind_in_ignore_changes_resolve(
    folder: Folder, account: Account, word: str, attribute: dict[str, object]
) -> None:
    folder.declare(declared("A", summary="x"))
    assert folder.run("apply", "--auto-approve").code == 0
    folder.declare(declared("A", summary="x", **attribute))
    assert folder.run("plan", "--detailed-exitcode").code == 2
    folder.declare(declared("A", summary="x", ignore_changes=[word], **attribute))
    assert folder.run("plan", "--detailed-exitcode").code == 0


@pytest.mark.parametrize("where", ["importer.yaml", "source", "incident"])
def test_a_name_in_ignore_changes_that_fits_nothing_is_an_error_with_its_place(
    applied: Folder, where: str
) -> None:
    word = "    ignore_changes: [custom_fields.Customers afected]\n"
    top = "version: 1\non_unresolved: drop\nsources:\n  - path: a.yaml\n"
    incident = "  - key: A\n    name: A\n    severity: Major\n"
    applied.write("a.yaml", "incidents:\n" + incident + (word if where == "incident" else ""))
    settings = {"importer.yaml": top + word.lstrip(), "source": top + word, "incident": top}[where]
    applied.write("importer.yaml", settings)
    result = applied.run("plan", "--json")
    assert result.code == 1
    (problem,) = [each for each in result.json()["diagnostics"] if each["severity"] == "error"]
    assert "ignore_changes" in problem["summary"] and "did you mean 'Customers affected'?" in problem["hint"]
    assert problem["locations"] == [{"file": "a.yaml" if where == "incident" else "importer.yaml", "line": 5}]


def test_an_unknown_field_in_ignore_changes_is_an_error_without_the_account(applied: Folder) -> None:
    applied.write("importer.yaml", "version: 1\nignore_changes: [sumary]\n")
    result = applied.run("validate")
    assert result.code == 1
    assert "importer.yaml:2" in result.err and "did you mean `summary`?" in result.err
