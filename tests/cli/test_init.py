"""`importer init`: what it writes works as it is, and nothing that is there is touched."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from importer.cli import scaffold
from tests.cli.conftest import Folder

SCAFFOLD = ["importer.yaml", "incidents/example.yaml", ".gitignore", ".github/workflows/importer.yml"]


def test_what_init_writes_validates_and_plans(folder: Folder) -> None:
    result = folder.run("init")
    assert result.code == 0
    assert [line.split()[1] for line in result.out.splitlines()] == SCAFFOLD
    checked = folder.run("validate")
    assert (checked.code, checked.out) == (0, "1 incident, no errors, 0 warnings.\n")
    planned = folder.run("plan", "--sandbox")
    assert planned.code == 0
    assert "1 to create" in planned.out
    assert planned.err == ""


def test_init_makes_the_folder_that_it_is_given(folder: Folder) -> None:
    assert folder.run("init", "new/place").code == 0
    assert all((folder.path / "new" / "place" / name).is_file() for name in SCAFFOLD)


@pytest.mark.parametrize("name", SCAFFOLD)
def test_init_overwrites_nothing(folder: Folder, name: str) -> None:
    folder.write(name, "# mine\n")
    result = folder.run("init")
    assert result.code == 0
    assert f"kept     {name}" in result.out
    assert (folder.path / name).read_text("utf-8") == "# mine\n"


def test_init_twice_keeps_everything(folder: Folder) -> None:
    folder.run("init")
    assert "written" not in folder.run("init").out


def namespace_in(path: Path) -> str:
    namespace: str = yaml.safe_load((path / "importer.yaml").read_text("utf-8"))["identity"]["namespace"]
    return namespace


def test_each_folder_gets_a_namespace_of_its_own(folder: Folder) -> None:
    for name in ("Acme Incidents", "other/Acme Incidents"):
        assert folder.run("init", name).code == 0
    one, other = (namespace_in(folder.path / name) for name in ("Acme Incidents", "other/Acme Incidents"))
    assert re.fullmatch("acme-incidents-[0-9a-f]{6}", one)
    assert one != other


@pytest.mark.parametrize(
    ("name", "namespace"),
    [
        ("Acme Incidents", "acme-incidents-0a1b2c"),
        ("a/b\\c: #d", "a-b-c-d-0a1b2c"),
        ("default", "default-0a1b2c"),
        ("", "incidents-0a1b2c"),
        ("事件", "incidents-0a1b2c"),
    ],
)
def test_a_namespace_is_plain_and_not_the_default(name: str, namespace: str) -> None:
    assert scaffold.own_namespace(name, "0a1b2c") == namespace
    assert f"namespace: {namespace}\n" in scaffold.files(namespace)["importer.yaml"]


def test_the_workflow_applies_only_what_is_merged(folder: Folder) -> None:
    folder.run("init")
    path = folder.path / ".github" / "workflows" / "importer.yml"
    workflow = yaml.load(path.read_text("utf-8"), yaml.BaseLoader)
    assert workflow["jobs"]["plan"]["if"] == "github.event_name == 'pull_request'"
    applying = "github.ref == 'refs/heads/main' && github.event_name != 'schedule'"
    assert workflow["jobs"]["apply"]["if"] == applying
    keys = {job: yaml.dump(steps) for job, steps in workflow["jobs"].items()}
    assert "${{ secrets.INCIDENT_READ_KEY }}" in keys["plan"] and "INCIDENT_API_KEY }}" not in keys["plan"]
    assert "${{ secrets.INCIDENT_API_KEY }}" in keys["apply"]


def test_editors_find_the_schemas_that_the_files_name(folder: Folder) -> None:
    folder.run("init")
    for name in ("importer.yaml", "incidents/example.yaml"):
        path = folder.path / name
        schema = path.read_text("utf-8").splitlines()[0].partition("$schema=")[2]
        assert (path.parent / schema).is_file()


def test_a_folder_that_cannot_be_made_is_named(folder: Folder) -> None:
    folder.write("taken", "a file")
    result = folder.run("init", "taken/below")
    assert result.code == 1
    assert "cannot write" in result.err and str(Path("taken/below")) in result.err


def test_a_file_that_cannot_be_written_leaves_no_half_of_it(folder: Folder) -> None:
    taken = folder.path / "incidents" / ".incident.schema.json"
    taken.mkdir(parents=True)
    result = folder.run("init")
    assert result.code == 1
    assert "cannot write incidents/.incident.schema.json" in result.err
    left = sorted(path.name for path in (folder.path / "incidents").iterdir())
    assert left == [".incident.schema.json", "example.yaml"]


# -- from an export ------------------------------------------------------------------------------------

EXPORT = (
    "Number,Title,Priority,State,Created,Notes\n"
    "A-1,Down,critcal,Done,01/02/2023 10:00,a\n"
    "A-2,Slow,Minor,Done,03/02/2023 10:00,b\n"
)


def test_a_mapping_for_an_export_converts_it(folder: Folder) -> None:
    folder.write("export.csv", EXPORT.replace("03/02", "23/02"))
    result = folder.run("init", "--from", "export.csv", "--sandbox")
    assert result.code == 0
    assert "2 records" in result.out
    mapping = folder.path / "export.mapping.yaml"
    text = mapping.read_text("utf-8")
    assert "key: Number" in text and "name: Title" in text and "summary: Notes" in text
    assert "did you mean Critical?" in text and "Minor: Minor   # 1" in text
    assert 'datetime_formats: ["%d/%m/%Y %H:%M"]' in text
    assert "# timezone:" in text and "To decide: `Created` has no UTC offset" in result.err
    asked = folder.run("convert", "export.csv", "--mapping", "export.mapping.yaml", "--timezone", "UTC")
    assert asked.code == 1 and "`critcal` is not in its `values`" in asked.err
    mapping.write_text(text.replace("# critcal:", "critcal: Critical"), encoding="utf-8")
    done = folder.run("convert", "export.csv", "--mapping", "export.mapping.yaml", "--timezone", "UTC")
    assert (done.code, done.out) == (0, "incidents/2023-02.yaml  2\n")


def test_day_first_or_month_first_is_for_a_person_to_decide(folder: Folder) -> None:
    folder.write("export.csv", EXPORT)
    result = folder.run("init", "--from", "export.csv")
    assert "`Created` fits %d/%m/%Y %H:%M and %m/%d/%Y %H:%M" in result.err
    text = (folder.path / "export.mapping.yaml").read_text("utf-8")
    assert '# either datetime_formats: ["%d/%m/%Y %H:%M"]' in text
    assert '# either datetime_formats: ["%m/%d/%Y %H:%M"]' in text
    asked = folder.run("convert", "export.csv", "--mapping", "export.mapping.yaml", "--timezone", "UTC")
    assert asked.code == 1
    assert "account's severities" not in text


def test_several_candidates_are_told_and_moments_in_iso_need_no_format(folder: Folder) -> None:
    folder.write("export.csv", "id,key,title,severity,opened\n1,A,Down,??,2023-01-02T10:00:00Z\n")
    result = folder.run("init", "--from", "export.csv", "--sandbox")
    assert "the key could be `key` or `id`: the first was chosen" in result.err
    text = (folder.path / "export.mapping.yaml").read_text("utf-8")
    assert "  timestamps.Reported at: opened\n" in text
    assert '# "??":   # 1\n' in text


def test_what_no_column_is_like_is_told(folder: Folder) -> None:
    folder.write("export.csv", "a,b\nx,y\nx,y\n")
    result = folder.run("init", "--from", "export.csv")
    assert result.code == 0
    assert "no column looks like the key" in result.err
    after = folder.run("convert", "export.csv", "--mapping", "export.mapping.yaml")
    assert after.code == 1
    assert "NO COLUMN FOUND" in after.err


def test_objects_are_found_below_their_list_and_named_by_paths(folder: Folder) -> None:
    record = {"id": "A", "name": "Down", "fields": {"sev-level": "Major", "created": 1681290840}}
    folder.write("export.json", {"incidents": [record, {**record, "id": "B"}], "page": "x"})
    assert folder.run("init", "maps", "--from", "export.json").code == 0
    text = (folder.path / "maps" / "export.mapping.yaml").read_text("utf-8")
    assert "records: incidents[]" in text and "unit: s" in text
    assert 'path: fields."sev-level"' in text
    done = folder.run("convert", "export.json", "--mapping", "maps/export.mapping.yaml")
    assert (done.code, done.out) == (0, "incidents/2023-04.yaml  2\n")


def test_a_list_of_one_record_is_that_record_although_it_has_a_list_itself(folder: Folder) -> None:
    folder.write("a.json", [{"id": "A", "name": "Down", "labels": [{"name": "sev1"}]}])
    assert folder.run("init", "--from", "a.json").code == 0
    text = (folder.path / "a.mapping.yaml").read_text("utf-8")
    assert "key: id" in text and "records:" not in text


def test_the_encoding_that_the_file_does_not_tell_is_written(folder: Folder) -> None:
    (folder.path / "export.csv").write_bytes(EXPORT.replace("Slow", "Café").encode("windows-1252"))
    folder.run("init", "--from", "export.csv")
    assert "encoding: windows-1252" in (folder.path / "export.mapping.yaml").read_text("utf-8")


def test_an_edited_mapping_is_not_overwritten(folder: Folder) -> None:
    folder.write("export.csv", EXPORT)
    folder.write("export.mapping.yaml", "mine\n")
    assert folder.run("init", "--from", "export.csv").code == 1
    assert (folder.path / "export.mapping.yaml").read_text("utf-8") == "mine\n"


@pytest.mark.parametrize(
    "content",
    [b"", b"<html>Sign in</html>", b"Number,Title\n", b"PK\x03\x04"],
    ids=["empty", "page", "bare", "zip"],
)
def test_an_export_that_is_none_is_told(folder: Folder, content: bytes) -> None:
    (folder.path / "export.csv").write_bytes(content)
    result = folder.run("init", "--from", "export.csv")
    assert result.code == 1
    assert "export.csv:1" in result.err
    assert not (folder.path / "export.mapping.yaml").exists()


def test_an_export_that_is_not_there_is_told(folder: Folder) -> None:
    assert "there is no file nowhere.csv" in folder.run("init", "--from", "nowhere.csv").err


TABLE_API = "number,short_description,priority,opened_at,sys_id\nINC1,Down,1 - High,2023-01-02 10:00:00,a\n"


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("jira.csv", "Issue key,Summary,Priority,Created,Resolved\nA-1,Down,High,09/Jan/24 3:54 PM,\n", "`extends: jira`"),
        ("list.csv", TABLE_API, "`extends: servicenow or servicenow-table`"),
        (
            "opsgenie.json",
            {"data": [{"id": "a", "message": "Down", "createdAt": "2023-01-02T10:00:00Z", "priority": "P1", "impactStartDate": "2023-01-02T10:00:00Z"}]},
            "`extends: opsgenie`",
        ),
    ],
)  # fmt: skip
def test_an_export_of_a_known_tracker_is_recognised(
    folder: Folder, name: str, content: object, expected: str
) -> None:
    folder.write(name, content)
    assert expected in folder.run("init", "--from", name).err


def test_a_table_of_nobody_in_particular_is_not_taken_for_a_tracker_s(folder: Folder) -> None:
    folder.write(
        "a.csv", "id,title,status,severity,created_at,resolved_at\n1,Down,done,High,2023-01-02,2023-01-03\n"
    )
    assert "an export that is known" not in folder.run("init", "--from", "a.csv").err


def test_a_column_that_is_called_like_nothing_can_serve_and_is_told(folder: Folder) -> None:
    folder.write("export.csv", "a,b\nx1,It was down\nx2,It was slow\n")
    result = folder.run("init", "--from", "export.csv")
    assert "`a` was chosen as the key by its values alone: check it" in result.err
    assert "`b` was chosen as the name by its values alone: check it" in result.err
    done = folder.run("convert", "export.csv", "--mapping", "export.mapping.yaml")
    assert (done.code, done.out) == (0, "incidents/undated.yaml  2\n")


def test_rows_of_one_key_are_asked_about(folder: Folder) -> None:
    folder.write("a.csv", "number,title,state\nI1,Down,New\nI1,Down,Closed\nI2,Slow,New\n")
    assert "several records have the same `number`" in folder.run("init", "--from", "a.csv").err
    mapping = folder.path / "a.mapping.yaml"
    text = mapping.read_text("utf-8")
    assert "# keep: last" in text
    mapping.write_text(text.replace("# keep", "keep"), encoding="utf-8")
    done = folder.run("convert", "a.csv", "--mapping", "a.mapping.yaml")
    assert (done.code, done.out) == (0, "incidents/undated.yaml  2\n")


def test_the_language_of_the_months_is_found_and_slips_among_moments_are_told(folder: Folder) -> None:
    rows = [f"{day},Ausfall {day},{day}. Mai 2023 10:00\n" for day in range(1, 13)]
    folder.write("a.csv", "Nr,Titel,Beginn\n" + "".join(rows) + "13,Ausfall,unbekannt\n")
    result = folder.run("init", "--from", "a.csv")
    assert "`Beginn` has 1 value in other formats, such as `unbekannt`" in result.err
    text = (folder.path / "a.mapping.yaml").read_text("utf-8")
    assert "\nmonths: de\n" in text and 'datetime_formats: ["%d. %b %Y %H:%M"]' in text


def test_columns_that_are_called_like_custom_fields_become_them(folder: Folder) -> None:
    folder.write(
        "a.csv",
        "Key,Title,Custom field (Root cause),Affected services,Runbook,Region\n"
        "A-1,Down,Capacity,API;Chekout,https://x.example,\n"
        "A-2,Slow,Bad luck,API,https://y.example,\n",
    )
    assert folder.run("init", "--from", "a.csv", "--sandbox").code == 0
    text = (folder.path / "a.mapping.yaml").read_text("utf-8")
    assert "  custom_fields.Runbook: Runbook\n" in text
    assert "  custom_fields.Root cause:\n    column: Custom field (Root cause)\n    values:\n" in text
    assert "      Capacity: Capacity   # 1\n" in text and "      # Bad luck:   # 1" in text
    assert '    column: Affected services\n    split: ";"\n' in text
    assert "# Chekout:   # 1; did you mean Checkout?" in text
    assert "custom_fields.Region" not in text


@pytest.mark.parametrize("files", [{}, {"a.csv": "id\n1\n", "b.json": [{"id": 1}]}])
def test_a_folder_must_have_files_of_one_format(folder: Folder, files: dict[str, object]) -> None:
    (folder.path / "export").mkdir()
    for name, content in files.items():
        folder.write(f"export/{name}", content)
    result = folder.run("init", "--from", "export")
    assert result.code == 1
    assert "must contain files of one supported format" in result.err
    assert ("1 csv, 1 json" if files else "none") in result.err


def test_the_mapping_of_another_export_is_not_replaced(folder: Folder) -> None:
    folder.write("export.csv", EXPORT)
    assert folder.run("init", "--from", "export.csv").code == 0
    folder.write("export.json", [{"id": "A", "name": "Down", "severity": "Major"}])
    result = folder.run("init", "--from", "export.json")
    assert result.code == 1
    assert "init --from export.csv" in result.err
    assert folder.run("init", "other", "--from", "export.json").code == 0
    assert folder.run("init", "--from", "export.csv").code == 0


def test_a_table_with_the_columns_of_importer_needs_no_mapping(folder: Folder) -> None:
    folder.write("own.csv", "key,name,severity,timestamps.Reported at\nA,Down,Major,2023-01-01T00:00:00Z\n")
    result = folder.run("init", "--from", "own.csv")
    assert result.code == 0
    assert "needs no mapping: importer plan own.csv" in result.err
    assert not (folder.path / "own.mapping.yaml").exists()
