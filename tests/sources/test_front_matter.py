"""Markdown: the front matter is the incident, and the body is its post-mortem or its summary."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from importer.model import Attribute, Field, Incident, Location, PostmortemDocument, Severity
from importer.model.settings import Settings
from importer.sources import Loaded, load

FRONT = "key: A-1\nname: Down\n"


def loaded(folder: Path, text: str | bytes, *, named: bool = True) -> Loaded:
    data = text if isinstance(text, bytes) else text.encode()
    (folder / "a.md").write_bytes(data)
    return load(Settings(root=folder), [folder / "a.md"] if named else [])


def only(found: Loaded) -> Incident:
    assert found.diagnostics == ()
    (incident,) = found.incidents
    return incident


def messages(found: Loaded) -> list[str]:
    return [
        f"{each.severity} {each.locations[0] if each.locations else '-'} {each.code}: {each.summary}"
        for each in found.diagnostics
    ]


def postmortem(incident: Incident) -> tuple[object, object]:
    document = incident.attributes[Attribute(Field.POSTMORTEM)]
    assert isinstance(document, PostmortemDocument)
    return document.title or document.default_title, document


@pytest.mark.parametrize(
    "text",
    [
        f"---\n{FRONT}---\n\nIt *fell*.\n\n",
        f"---\r\n{FRONT}---\r\nIt *fell*.".replace("\n", "\r\n").replace("\r\r", "\r"),
        f"\ufeff---\n{FRONT}---\nIt *fell*.",
        f"\n\n---  \n{FRONT}---\t\nIt *fell*.",
        '+++\nkey = "A-1"\nname = "Down"\n+++\nIt *fell*.',
        f"---\n{FRONT}---\nIt *fell*.".encode("utf-16"),
        f"---\n{FRONT}body: postmortem\n---\nIt *fell*.",
    ],
)
def test_the_body_is_the_postmortem_of_the_front_matters_incident(tmp_path: Path, text: str | bytes) -> None:
    incident = only(loaded(tmp_path, text, named=False))
    assert (incident.key, incident.attributes[Attribute(Field.NAME)]) == ("A-1", "Down")
    assert postmortem(incident) == ("Down", PostmortemDocument("It *fell*."))


def test_the_first_heading_is_the_title_of_the_postmortem(tmp_path: Path) -> None:
    title, _ = postmortem(only(loaded(tmp_path, f"---\n{FRONT}---\n\n# Why it fell\n\nSo.\n")))
    assert title == "Why it fell"


def test_the_front_matter_can_set_the_title_and_status_of_the_postmortem(tmp_path: Path) -> None:
    text = f"---\n{FRONT}postmortem: {{title: Own, status: completed}}\n---\n# Why it fell\n"
    assert postmortem(only(loaded(tmp_path, text))) == (
        "Own",
        PostmortemDocument("# Why it fell", "completed", "Own"),
    )


def test_the_body_is_the_summary_if_the_front_matter_says_so(tmp_path: Path) -> None:
    incident = only(loaded(tmp_path, f"---\n{FRONT}body: summary\n---\nIt *fell*.\n"))
    assert incident.attributes == {Attribute(Field.NAME): "Down", Attribute(Field.SUMMARY): "It *fell*."}


@pytest.mark.parametrize("end", ["", "\n", "\n \n\n"])
def test_without_a_body_the_postmortem_is_unmanaged(tmp_path: Path, end: str) -> None:
    assert only(loaded(tmp_path, f"---\n{FRONT}---{end}")).attributes == {Attribute(Field.NAME): "Down"}


def test_every_value_knows_its_line(tmp_path: Path) -> None:
    text = f"\n---\n{FRONT}severity: Major\ntimestamps: {{Resolved at: soon}}\nbody: summry\n---\n\ntext\n"
    found = loaded(tmp_path, text)
    assert found.incidents[0].location == Location("a.md", 3)
    severity = found.incidents[0].attributes[Attribute(Field.SEVERITY)]
    assert getattr(severity, "location", None) == Location("a.md", 5)
    assert messages(found) == [
        "error a.md:7 bad-value: `body` must be `summary` or `postmortem`",
        "error a.md:6 bad-datetime: invalid date or time",
    ]


def test_the_values_of_toml_know_their_lines_too(tmp_path: Path) -> None:
    text = '+++\nkey = "A-1"\nname = "Down"\n\n[timestamps]\n"Resolved at" = "soon"\n+++\n'
    assert messages(loaded(tmp_path, text)) == ["error a.md:6 bad-datetime: invalid date or time"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"---\n{FRONT}summary: x\nbody: summary\n---\n\ny\n", "a.md:8 duplicate-field"),
        (f"---\n{FRONT}postmortem: {{url: 'https://a.example'}}\n---\ny\n", "a.md:6 duplicate-field"),
        (f"---\n{FRONT}postmortem: {{file: b.md}}\n---\ny\n", "a.md:6 duplicate-field"),
        (f"---\n{FRONT}postmortem: b.md\n---\ny\n", "a.md:4 wrong-type"),
        ("---\nincidents: [{key: A, name: B}]\n---\ny\n", "a.md:2 wrong-type"),
        ("---\n- key: A\n---\n", "a.md:1 wrong-type"),
        ("---\nkey: [\n---\n", "a.md:2 syntax"),
        ("+++\nkey =\n+++\n", "a.md:1 syntax"),
        ("# Only text\n", "a.md:1 no-front-matter"),
        ("---\nkey: A\nname: B\n", "a.md:1 no-front-matter"),
        (b"---\nkey: A\nname: \xe4\n---\n", "a.md:3 not-utf-8"),
    ],
)
def test_a_mistake_in_a_file_is_reported_at_its_line(
    tmp_path: Path, text: str | bytes, expected: str
) -> None:
    found = loaded(tmp_path, text)
    assert [f"{each.locations[0]} {each.code}" for each in found.diagnostics][:1] == [expected]
    assert {each.severity for each in found.diagnostics} == {Severity.ERROR}


def test_markdown_without_front_matter_is_skipped_in_a_folder(tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text(FRONT, encoding="utf-8")
    assert only(loaded(tmp_path, "# Only text\n", named=False)).key == "A-1"
    (tmp_path / "a.md").write_text("", encoding="utf-8")
    assert only(load(Settings(root=tmp_path, sources=("**/*",)))).key == "A-1"


@pytest.mark.parametrize("front", ["title: T\nlayout: post", "status: draft"])
def test_front_matter_that_is_not_an_incident_is_reported_and_not_read(tmp_path: Path, front: str) -> None:
    found = loaded(tmp_path, f"---\n{front}\n---\n# Text\n", named=False)
    assert messages(found) == ["warning a.md:1 not-an-incident-file: the file declares no incidents"]


def test_front_matter_without_an_end_is_never_skipped_silently(tmp_path: Path) -> None:
    found = loaded(tmp_path, f"---\n{FRONT}", named=False)
    assert messages(found) == ["warning a.md:1 no-front-matter: the front matter has no end"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_markdown_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("---\n", encoding="utf-8")
    (tmp_path / "a.md").chmod(0)
    assert [each.code for each in load(Settings(root=tmp_path)).diagnostics] == ["unreadable"]
