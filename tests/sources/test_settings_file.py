"""importer.yaml and the environment: all settings are read and checked, and the key is not leaked."""

from __future__ import annotations

from pathlib import Path

import pytest

from importer.api.connection import Connection, connection
from importer.model import Attribute, Field, Ignored, OnDrift, Policy
from importer.model.diagnostics import Diagnostics
from importer.model.errors import UsageError
from importer.model.settings import MappedSource, OnUnresolved, PlainSource, Rate, Settings, parse_rate
from importer.sources.settings_file import load_settings

FULL = """
version: 1
sources: [incidents/**/*.yaml, legacy/a.csv]
defaults: {severity: Minor, visibility: public, timezone: Europe/London}
identity: {namespace: acme, marker_field: Legacy ID}
aliases:
  severity: {P1: Critical}
  users: {bob@old.example: bob@example.com, gone@old.example: null}
  custom_fields.Root cause: {infra: Capacity}
on_unresolved: {default: skip, users: drop}
create_missing: [custom_field_options]
ignore_changes: [summary]
on_drift: keep
safety: {max_creates: 1000, max_updates: 100}
rate: 80%
state: state/a.db
"""


def read(folder: Path, text: str) -> tuple[Settings, list[str]]:
    (folder / "importer.yaml").write_text(text, encoding="utf-8")
    diagnostics = Diagnostics()
    settings = load_settings(None, folder, diagnostics)
    found = [f"{each.locations[0]} {each.code}: {each.summary} | {each.hint}" for each in diagnostics.found]
    return settings, found


def test_every_key_becomes_its_setting(tmp_path: Path) -> None:
    settings, problems = read(tmp_path, FULL)
    assert problems == []
    assert settings == Settings(
        root=tmp_path,
        path=tmp_path / "importer.yaml",
        sources=("incidents/**/*.yaml", "legacy/a.csv"),
        defaults={"severity": "Minor", "visibility": "public"},
        timezone="Europe/London",
        namespace="acme",
        marker_field="Legacy ID",
        aliases={
            "severity": {"P1": "Critical"},
            "users": {"bob@old.example": "bob@example.com", "gone@old.example": None},
            "custom_fields.Root cause": {"infra": "Capacity"},
        },
        on_unresolved={"default": OnUnresolved.SKIP, "users": OnUnresolved.DROP},
        create_missing=frozenset({"custom_field_options"}),
        policy=Policy(OnDrift.KEEP, frozenset({Ignored(Attribute(Field.SUMMARY))})),
        max_creates=1000,
        max_updates=100,
        rate=Rate(share=0.8),
        state=tmp_path / "state/a.db",
    )


def test_a_source_may_have_its_own_policy_and_inherits_the_rest(tmp_path: Path) -> None:
    settings, problems = read(
        tmp_path,
        """ignore_changes: [summary]
sources:
  - {path: a.csv}
  - {path: b/*.yaml, on_drift: keep, timezone: UTC}
  - {path: c.csv, preset: jira, ignore_changes: []}
""",
    )
    assert problems == []
    assert settings.sources == (
        PlainSource("a.csv", line=3),
        PlainSource(
            "b/*.yaml", "UTC", 4, Policy(OnDrift.KEEP, frozenset({Ignored(Attribute(Field.SUMMARY))}))
        ),
        MappedSource("c.csv", preset="jira", line=5, policy=Policy()),
    )


@pytest.mark.parametrize("text", ["", "# nothing\n", "version: 1\n", "{}"])
def test_an_omitted_setting_has_its_default(tmp_path: Path, text: str) -> None:
    settings, problems = read(tmp_path, text)
    assert problems == []
    assert settings == Settings(
        root=tmp_path, path=tmp_path / "importer.yaml", state=tmp_path / ".importer/state.db"
    )


def test_a_missing_file_equals_an_empty_one(tmp_path: Path) -> None:
    diagnostics = Diagnostics()
    settings = load_settings(None, tmp_path, diagnostics)
    assert settings == Settings(root=tmp_path, state=tmp_path / ".importer/state.db")
    assert diagnostics.found == []


def test_a_named_file_must_exist_and_its_folder_is_the_root(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot read the configuration .*other\.yaml"):
        load_settings(tmp_path / "other.yaml", tmp_path, Diagnostics())
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "other.yaml").write_text("on_unresolved: drop")
    settings = load_settings(tmp_path / "sub" / "other.yaml", tmp_path, Diagnostics())
    assert (settings.root, settings.path) == (tmp_path / "sub", tmp_path / "sub" / "other.yaml")
    assert settings.on_unresolved == {"default": OnUnresolved.DROP}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("version: 2", "importer.yaml:1 bad-value: `version` must be 1"),
        ("a: 1", "importer.yaml:1 unknown-field: unknown field `a` | the fields here are aliases"),
        ("\nsource: [a]", "importer.yaml:2 unknown-field: unknown field `source` | did you mean `sources`?"),
        ("sources: a", "importer.yaml:1 wrong-type: `sources` must be a list of paths"),
        ("sources: [{mapping: a}]", "importer.yaml:1 missing-field: `sources[].path` is missing"),
        ("aliases: {sevrity: {}}", "importer.yaml:1 unknown-field: unknown field `aliases.sevrity` | did you mean `severity`?"),
        ("on_unresolved: ignore", "importer.yaml:1 bad-value: `on_unresolved` must be error, skip or drop"),
        ("rate: fast", "importer.yaml:1 bad-value: invalid rate `fast` | use a share"),
        ("defaults:\n  timezone: Europe/Lodnon", "importer.yaml:2 unknown-timezone: unknown time zone `Europe/Lodnon` | did you mean `Europe/London`?"),
        ("defaults: {timezone: '???'}", "importer.yaml:1 unknown-timezone: unknown time zone `???` | time zone names look like"),
        ("sources:\n- path: a\n  encoding: latin-1", "importer.yaml:3 bad-value: `encoding` requires a `mapping` or a `preset`"),
        ("sources:\n- {path: a, preset: jira, encoding: latin-99}", "importer.yaml:2 bad-value: unknown encoding `latin-99` | encoding names look like"),
        ("safety: {max_creates: many}", "importer.yaml:1 bad-value: `safety.max_creates` must be a whole number"),
        ("a: [", "importer.yaml:1 syntax: invalid YAML"),
        ("rate: 80%\nrate: 70%", "importer.yaml:2 duplicate-field: `rate` appears twice"),
        ("rate: 80%\n---\nrate: 70%", "importer.yaml:1 wrong-type: importer.yaml must be one YAML document"),
        ("- a", "importer.yaml:1 wrong-type: importer.yaml must be a mapping of settings"),
        ("a: \0", "importer.yaml:1 not-text: the file is not text"),
    ],
)  # fmt: skip
def test_a_mistake_has_its_line_and_a_hint(tmp_path: Path, text: str, expected: str) -> None:
    settings, problems = read(tmp_path, text)
    assert len(problems) == 1
    assert problems[0].startswith(expected)
    assert settings.state == tmp_path / ".importer/state.db"


@pytest.mark.parametrize(
    ("text", "rate"),
    [("80%", Rate(share=0.8)), ("100 %", Rate(share=1.0)), ("0.5%", Rate(share=0.005)), ("600/min", Rate(600.0)), (" 1 / min", Rate(1.0))],
)  # fmt: skip
def test_a_rate_is_a_percentage_or_a_number_per_minute(text: str, rate: Rate) -> None:
    assert parse_rate(text) == rate


@pytest.mark.parametrize("text", ["", "0%", "101%", "-1%", "0/min", "600", "600/s", "nan%", "1e3%", "١%"])
def test_any_other_rate_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="invalid rate"):
        parse_rate(text)


@pytest.mark.parametrize(
    ("environ", "endpoint", "expected"),
    [
        ({}, None, "https://api.incident.io"),
        ({"INCIDENT_ENDPOINT": "https://a.example/"}, None, "https://a.example"),
        ({"INCIDENT_API_URL": "https://b.example"}, None, "https://b.example"),
        ({"INCIDENT_ENDPOINT": "https://a.example", "INCIDENT_API_URL": "https://b.example"}, None, "https://a.example"),
        ({"INCIDENT_ENDPOINT": "https://a.example"}, "https://c.example/api/public/", "https://c.example/api/public"),
        ({}, "http://localhost:3001/api/public", "http://localhost:3001/api/public"),
        ({}, "http://127.8.8.8", "http://127.8.8.8"),
        ({}, "http://[::1]:80", "http://[::1]:80"),
    ],
)  # fmt: skip
def test_the_endpoint_comes_from_the_option_then_the_environment(
    environ: dict[str, str], endpoint: str | None, expected: str
) -> None:
    assert connection({"INCIDENT_API_KEY": "secret", **environ}, endpoint) == Connection(expected, "secret")


@pytest.mark.parametrize(
    "endpoint",
    [
        "api.incident.io", "ftp://a.example", "http://a.example", "http://127.0.0.1.example", "http://10.0.0.1", "https://", "https://u:p@a.example",
        "https://u@a.example", "https://a.example?x=1", "https://a.example#x", "https://a.example?", "https://a.example/ b", "https://[::1", "https://a:b",
        "https://a.example:99999", "https:///path", "https://a.example\n",
    ],
)  # fmt: skip
def test_an_unsafe_endpoint_is_refused(endpoint: str) -> None:
    with pytest.raises(UsageError) as caught:
        connection({"INCIDENT_API_KEY": "secret"}, endpoint)
    assert "secret" not in str(caught.value)
    assert "u:p" not in str(caught.value)


def test_a_missing_key_names_the_sandbox() -> None:
    for environ in ({}, {"INCIDENT_API_KEY": ""}):
        with pytest.raises(UsageError, match="INCIDENT_API_KEY is not set") as caught:
            connection(environ, None)
        assert "--sandbox" in caught.value.hint


@pytest.mark.parametrize("key", ["inc secret", "secret\n", " secret", "secret\x00", "sécret", "secret\x7f"])
def test_an_invalid_key_is_refused_and_not_shown(key: str) -> None:
    with pytest.raises(UsageError) as caught:
        connection({"INCIDENT_API_KEY": key}, None)
    assert "cret" not in str(caught.value) + caught.value.hint


def test_the_key_is_not_in_the_repr() -> None:
    assert "secret" not in repr(connection({"INCIDENT_API_KEY": "secret"}, None))


def test_the_encoding_of_an_export_is_set_next_to_its_preset(tmp_path: Path) -> None:
    settings, problems = read(tmp_path, "sources: [{path: a, preset: jira, encoding: windows-1252}]")
    assert (settings.sources, problems) == (
        (MappedSource("a", preset="jira", encoding="windows-1252"),),
        [],
    )


@pytest.mark.parametrize("namespace", ["acme/prod", "/", "acme/", '""', '" "'])
def test_a_namespace_without_words_or_with_a_slash_is_an_error_with_its_line(
    tmp_path: Path, namespace: str
) -> None:
    settings, (problem,) = read(tmp_path, f"version: 1\nidentity:\n  namespace: {namespace}\n")
    assert problem.startswith(
        "importer.yaml:3 bad-value: `identity.namespace` must be text that is not blank and has no `/` | "
    )
    assert settings.namespace == "default"


@pytest.mark.parametrize("namespace", ["acme", "1042", "Acme & Söhne", "a.b:c_d-e"])
def test_a_namespace_may_have_any_words_without_a_slash(tmp_path: Path, namespace: str) -> None:
    settings, problems = read(tmp_path, f'identity: {{namespace: "{namespace}"}}\n')
    assert (problems, settings.namespace) == ([], namespace)
