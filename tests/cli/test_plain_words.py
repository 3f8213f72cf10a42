"""What a plan, a report of drift, an apply and a check say is true of the account."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from importer.sandbox import Fault, FaultKind, Faults, Server
from tests.cli.conftest import Account, Folder, declared

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

MATCHES = "No changes. The account matches the files."
FORMATS = ("text", "markdown", "html")


def shown(folder: Folder, *words: str) -> dict[str, str]:
    """Return the output of a command in each format that people read, in one line."""
    return {each: " ".join(folder.run(*words, "--format", each).out.split()) for each in FORMATS}


def applied(folder: Folder, *incidents: dict[str, Any]) -> None:
    folder.declare(*incidents)
    assert folder.run("apply", "--auto-approve", "--parallelism", "1").code == 0


# -- parts of the files ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "sentence", "left_out"),
    [
        (("--limit", "1"), "A part of the files (--limit 1): 2 more changes wait.", 2),
        (("--only", "A"), "A part of the files (--only A): 2 declared incidents were not compared.", 2),
        (
            ("--only", "A", "--only", "B", "--limit", "1"),
            "A part of the files (--only A --only B, --limit 1): 1 more change waits and 1 declared incident"
            " was not compared.",
            2,
        ),
    ],
)
def test_a_plan_says_of_what_part_it_is_and_what_it_leaves_out(
    folder: Folder, account: Account, options: tuple[str, ...], sentence: str, left_out: int
) -> None:
    folder.declare(*map(declared, "ABC"))
    for form, text in shown(folder, "plan", *options).items():
        assert sentence in text, form
    assert folder.run("plan", *options, "--out", "plan.json").code == 0
    for form, text in shown(folder, "show", "plan.json").items():
        assert sentence in text, form
    scope = json.loads((folder.path / "plan.json").read_text())["scope"]
    assert (scope["kind"], scope["left_out"]) == ("part", left_out)


def test_a_part_without_changes_does_not_speak_for_the_files(folder: Folder, account: Account) -> None:
    applied(folder, declared("A"))
    folder.declare(*map(declared, "ABC"))
    for form, text in shown(folder, "plan", "--only", "A").items():
        assert "No changes in this part of the files." in text, form
        assert "2 declared incidents were not compared" in text, form
        assert "matches the files" not in text, form


def test_a_plan_of_everything_does_not_speak_of_parts(folder: Folder, account: Account) -> None:
    applied(folder, *map(declared, "AB"))
    for form, text in shown(folder, "plan", "--only", "*", "--limit", "5").items():
        assert MATCHES in text, form
        assert "A part of" not in text, form


def test_an_apply_of_a_part_ends_by_saying_that_others_wait(folder: Folder, account: Account) -> None:
    folder.declare(*map(declared, "ABC"))
    result = folder.run("apply", "--auto-approve", "--limit", "1")
    assert result.code == 0
    last = result.out.splitlines()[-3:]
    assert last[0].startswith("Apply complete: 1 created")
    assert last[1] == "A part of the files (--limit 1): 2 more changes wait."
    ending = folder.run("apply", "--auto-approve", "--limit", "1", "--json").summary()
    assert (ending["created"], ending["left_out"], ending["not_compared"]) == (1, 1, 0)
    assert "1 more change waits" in ending["@message"]


def test_a_safety_limit_counts_what_the_plan_has_and_not_what_it_leaves_out(
    folder: Folder, account: Account
) -> None:
    folder.write("importer.yaml", "version: 1\nsafety: {max_creates: 1}\nsources: [incidents.json]\n")
    folder.declare(*map(declared, "ABC"))
    assert "safety.max_creates" in folder.run("plan").err
    assert "safety.max_creates" not in folder.run("plan", "--limit", "1").err
    assert folder.run("apply", "--auto-approve", "--limit", "1").code == 0


# -- failures -------------------------------------------------------------------------------------------


def test_a_plan_that_failed_says_so_first_and_counts_nothing(folder: Folder, account: Account) -> None:
    folder.declare(declared("A"), declared("B", severity="Unheard of"))
    assert folder.run("plan").out.startswith("Planning failed: this plan cannot be applied.")
    assert (
        "\n**Planning failed: this plan cannot be applied.**\n"
        in folder.run("plan", "--format", "markdown").out
    )
    for form, text in shown(folder, "plan").items():
        assert "to create" not in text, form
        assert "requests" not in text, form
    assert folder.run("plan", "--json").json()["errored"]
    result = folder.run("apply", "--auto-approve")
    assert (result.code, result.out.startswith("Planning failed")) == (1, True)


def test_a_plan_that_failed_over_drift_lists_actions_as_not_made(folder: Folder, account: Account) -> None:
    applied(folder, declared("A", summary="as declared"))
    account.edit(account.incidents()[0], summary="edited by somebody")
    folder.write("importer.yaml", "version: 1\non_drift: fail\nsources: [incidents.json]\n")
    folder.declare(declared("A", summary="as declared"), declared("B"))
    result = folder.run("plan")
    assert result.code == 1
    assert result.out.startswith("Planning failed: this plan cannot be applied.")
    assert "None of them can be applied" in result.out
    assert "Plan: " not in result.out


# -- matching the files ---------------------------------------------------------------------------------


def _keep(folder: Folder, account: Account) -> None:
    applied(folder, declared("A", summary="as declared"))
    account.edit(account.incidents()[0], summary="edited by somebody")
    folder.write("importer.yaml", "version: 1\non_drift: keep\nsources: [incidents.json]\n")


def _ignore(folder: Folder, account: Account) -> None:
    applied(folder, declared("A", summary="as declared"))
    account.edit(account.incidents()[0], summary="edited by somebody")
    folder.write("importer.yaml", "version: 1\nignore_changes: [summary]\nsources: [incidents.json]\n")


def _skip(folder: Folder, account: Account) -> None:
    applied(folder, declared("A"))
    folder.write("importer.yaml", "version: 1\non_unresolved: skip\nsources: [incidents.json]\n")
    folder.declare(declared("A"), declared("B", severity="Unheard of"))


def _drop(folder: Folder, account: Account) -> None:
    applied(folder, declared("A"))
    folder.write("importer.yaml", "version: 1\non_unresolved: drop\nsources: [incidents.json]\n")
    folder.declare(declared("A", roles={"Incident Lead": "nobody@example.com"}))


def _clear(folder: Folder, account: Account) -> None:
    applied(folder, declared("A", slack_channel_name_override="inc-a"))
    folder.declare(declared("A", slack_channel_name_override=None))


REASONS: dict[str, tuple[Callable[[Folder, Account], None], str]] = {
    "kept edits": (_keep, "differs from the files: edits made in incident.io are kept in 1 incident."),
    "left to people": (_ignore, "may differ from the files: ignore_changes leaves values of 1 incident to"),
    "skipped": (_skip, "differs from the files: on_unresolved leaves out 1 unknown name."),
    "dropped": (_drop, "differs from the files: on_unresolved leaves out 1 unknown name."),
    "not cleared": (_clear, "differs from the files: 1 value cannot be cleared."),
}


@pytest.mark.parametrize("reason", REASONS)
def test_no_changes_does_not_mean_that_the_account_matches_the_files(
    folder: Folder, account: Account, reason: str
) -> None:
    prepare, sentence = REASONS[reason]
    prepare(folder, account)
    for form, text in shown(folder, "plan").items():
        assert sentence in text, form
        assert MATCHES not in text, form
    assert folder.run("plan", "--detailed-exitcode", "--out", "plan.json").code == 0
    assert sentence in shown(folder, "show", "plan.json")["text"]


# -- drift ----------------------------------------------------------------------------------------------


def test_a_drift_report_shows_what_happened_since_when_and_the_ways_out(
    folder: Folder, account: Account
) -> None:
    applied(folder, declared("A", summary="as declared"))
    account.edit(account.incidents()[0], summary="edited by somebody")
    day = account.incidents()[0]["updated_at"][:10]
    for form, text in shown(folder, "plan", "--drift-only").items():
        assert "copy it into the file" in text, form
        assert "last edited in incident.io on " + day in text, form
    assert 'summary = "as declared" -> "edited by somebody"' in shown(folder, "plan", "--drift-only")["text"]
    (change,) = folder.run("plan", "--drift-only", "--json").json()["incident_changes"]
    (field,) = change["changed_fields"]
    assert (field["before"], field["after"]) == ("edited by somebody", "as declared")
    assert 'summary = "edited by somebody" -> "as declared"' in folder.run("plan").out


def test_a_drift_report_says_of_what_it_cannot_know_that_it_may_be_drift(
    folder: Folder, account: Account
) -> None:
    folder.write("importer.yaml", "version: 1\nidentity: {marker_field: Legacy ID}\n")
    applied(folder, declared("A", summary="as declared"))
    for each in (folder.path / ".importer").glob("state.db*"):
        each.unlink()
    folder.declare(declared("A", summary="changed in the file"))
    result = folder.run("plan", "--drift-only")
    assert result.code == 2
    assert "has drifted" not in result.out
    assert 'incident "A" (INC-1) may have drifted' in result.out
    for form, text in shown(folder, "plan", "--drift-only").items():
        assert "either somebody edited them in incident.io, or the file changed" in text, form
    assert "Drift: 0 incidents, and 1 that may have drifted." in result.out


def test_a_report_without_drift_speaks_only_of_what_was_compared(folder: Folder, account: Account) -> None:
    applied(folder, declared("A"))
    assert "No drift: nothing that" in folder.run("plan", "--drift-only").out
    folder.declare(*map(declared, "AB"))
    assert "No drift: in the incidents compared, nothing" in folder.run("plan", "--drift-only").out


# -- check ----------------------------------------------------------------------------------------------


@contextmanager
def with_roles(account: Account, *roles: str) -> Iterator[str]:
    """Serve the account for a key with these roles, and yield the URL."""

    def app(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        found = b"".join(account.sandbox.app(environ, start))
        if environ["PATH_INFO"] != "/v1/identity":
            return [found]
        known = json.loads(found)
        known["identity"]["roles"] = list(roles)
        return [json.dumps(known).encode()]

    def unsized(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        def begin(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            return start(status, [each for each in headers if each[0].lower() != "content-length"], *rest)

        return app(environ, begin)

    server = Server(unsized, "127.0.0.1", 0)
    server.start()
    try:
        yield server.url
    finally:
        server.stop()


@pytest.mark.parametrize(
    ("roles", "lines", "ready"),
    [
        (
            ("viewer", "incident_creator", "incident_editor"),
            ["Ready. The key can read the account and plan, create incidents and edit incidents."],
            {"plan": True, "create": True, "edit": True},
        ),
        (
            ("viewer",),
            [
                "Ready to read the account and plan.",
                "Not ready to create incidents: the key lacks the role incident_creator.",
                "Not ready to edit incidents: the key lacks the role incident_editor.",
            ],
            {"plan": True, "create": False, "edit": False},
        ),
        (
            ("viewer", "incident_editor", "incident_wizard"),
            [
                "Ready to read the account and plan and edit incidents.",
                "Unknown: may create incidents, if one of the key's roles includes incident_creator.",
            ],
            {"plan": True, "create": None, "edit": True},
        ),
    ],
)
def test_check_says_what_the_key_is_ready_for_and_the_next_command(
    folder: Folder, account: Account, roles: tuple[str, ...], lines: list[str], ready: dict[str, bool | None]
) -> None:
    with with_roles(account, *roles) as url:
        result = folder.run("check", "--endpoint", url)
        assert result.code == 0
        said = result.out.splitlines()[4:]
        assert said == [*lines, f"Next: importer plan --endpoint {url}"]
        document = folder.run("check", "--endpoint", url, "--json").json()
    assert document["ready"] == ready
    assert document["next_command"] == f"importer plan --endpoint {url}"
    assert document["missing_roles"] == [
        role
        for work, role in [("create", "incident_creator"), ("edit", "incident_editor")]
        if not ready[work]
    ]


def test_check_of_an_account_with_errors_is_ready_for_nothing(folder: Folder, account: Account) -> None:
    folder.write("importer.yaml", "version: 1\nidentity: {marker_field: Nowhere}\n")
    result = folder.run("check")
    assert result.code == 1
    assert "Ready" not in result.out
    assert "Next: fix the errors above first, then run: importer check" in result.out
    assert folder.run("check", "--json").json()["ready"] == {"plan": False, "create": False, "edit": False}


# -- what a plan is made from ----------------------------------------------------------------------------


def test_a_plan_without_the_state_shows_each_update(folder: Folder, account: Account) -> None:
    applied(folder, declared("A", external_id=7, custom_fields={"Legacy ID": "A"}))
    folder.write("importer.yaml", {"identity": {"marker_field": "Legacy ID"}})
    shutil.rmtree(folder.path / ".importer")
    folder.declare(declared("A", external_id=7, name="Another name"))
    assert 'incident "A" (INC-7) will be updated' in folder.run("plan").out


FOLLOW_UP = {"title": "Add an alert", "assignee": "lisa@example.com", "description": "x", "labels": ["db"]}
ITEM = {"at": "2021-03-01T10:00:00Z", "title": "Paged", "description": "y"}


def test_an_emptied_part_of_a_child_is_cleared(folder: Folder, account: Account) -> None:
    applied(folder, declared("A", timeline=[ITEM], follow_ups=[FOLLOW_UP]))
    empty: dict[str, Any] = {"assignee": None, "description": "", "labels": []}
    folder.declare(declared("A", timeline=[ITEM | {"description": ""}], follow_ups=[FOLLOW_UP | empty]))
    text = folder.run("plan", "--full").out
    assert text.count("description: null") == 2
    assert "assignee: null" in text
    assert "status" not in text
    assert folder.run("apply", "--auto-approve").code == 0
    assert MATCHES in folder.run("plan").out
    incident = account.get("/v2/incidents")["incidents"][0]["id"]
    (task,) = account.get(f"/v3/follow_ups?incident_id={incident}")["follow_ups"]
    (item,) = account.get(f"/v2/incident_timeline_items?incident_id={incident}")["incident_timeline_items"]
    assert (task.get("assignee"), task.get("description"), task["labels"]) == (None, "", [])
    assert not item.get("description")


def test_an_omitted_part_of_a_child_is_left_as_it_is(folder: Folder, account: Account) -> None:
    applied(folder, declared("A", timeline=[ITEM], follow_ups=[FOLLOW_UP]))
    bare = {"at": ITEM["at"], "title": ITEM["title"]}
    folder.declare(declared("A", timeline=[bare], follow_ups=[{"title": FOLLOW_UP["title"]}]))
    assert MATCHES in folder.run("plan").out


# -- what the account does not show -----------------------------------------------------------------------

DOCUMENT = {"content": "# Root cause\n\nA full disk.\n", "status": "completed"}


def changed_fields(folder: Folder) -> list[dict[str, Any]]:
    (change,) = json.loads(folder.run("plan", "--format", "json").out)["incident_changes"]
    fields: list[dict[str, Any]] = [*change["changed_fields"], *change["blocked_fields"]]
    return fields


def test_a_postmortem_whose_status_was_refused_shows_only_its_status(
    folder: Folder, account: Account
) -> None:
    refused = Fault(FaultKind.ERROR_BEFORE, on="PUT /v1/postmortem_documents/{id}", status=422)
    account.sandbox.faults = Faults((refused,))
    folder.declare(declared("A", postmortem=DOCUMENT))
    assert folder.run("apply", "--auto-approve").code == 3
    text = folder.run("plan", "--full").out
    assert "completed" in text
    assert "lines changed" not in text
    assert "Root cause" not in text


def test_what_the_api_does_not_show_is_said_to_be_so_and_not_to_be_nothing(
    folder: Folder, account: Account
) -> None:
    applied(folder, declared("A"))
    folder.declare(declared("A", slack_channel_name_override="inc-checkout"))
    for text in shown(folder, "plan").values():
        assert "(not shown by the API)" in text
    (changed,) = changed_fields(folder)
    assert changed["before"] == {"not_shown": True}
