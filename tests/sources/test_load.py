"""Files and folders -> incidents: what is read, what is skipped, and what is reported."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import pytest

from importer.model import (
    Attribute,
    Field,
    Ignored,
    Kind,
    OnDrift,
    Packed,
    Policy,
    Reference,
    Severity,
)
from importer.model.settings import PlainSource, Settings
from importer.sources import Loaded, load

SAMPLES = Path(__file__).parents[3] / "shared" / "legacy" / "samples" / "github-statuspage" / "incidents.csv"


def write(root: Path, **files: str | bytes) -> None:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())


def messages(loaded: Loaded) -> list[str]:
    return [
        f"{each.severity} {each.locations[0] if each.locations else '-'} {each.code}"
        for each in loaded.diagnostics
    ]


INCIDENT = "key: {0}\nname: B\n"


def tree(root: Path) -> None:
    write(
        root,
        **{
            "b.yaml": INCIDENT.format("b"),
            "a/c.yml": INCIDENT.format("c"),
            "a/d.JSON": '[{"key": "d", "name": "B"}]',
            "a/e.jsonl": '{"key": "e1", "name": "B"}\n{"key": "e2", "name": "B"}\n',
            "f.csv": "key,name\nf,B\n",
            "g.tsv": "key\tname\ng\tB\n",
            "importer.yaml": "version: 1\n",
            ".hidden/x.yaml": INCIDENT.format("x"),
            ".x.yaml": INCIDENT.format("x"),
            "notes.txt": "key: x",
            "doc.md": "# text",
            "h.md": "---\nkey: h\nname: B\n---\n",
            "page.md": "---\ntitle: T\n---\n# text",
            "plan.json": '{\n "format_version": "1.0", "plan_hash": "x", "incident_changes": [{"key": "x"}]}',
            "report.json": '{"importer_report": "1.0", "incidents": [{"key": "x", "outcome": "failed"}]}',
            "report.csv": "importer_report,key,file\nfailed,x,a.yaml\n",
        },
    )


def test_the_files_of_a_folder_are_read_in_the_order_of_their_names(tmp_path: Path) -> None:
    tree(tmp_path)
    loaded = load(Settings(root=tmp_path))
    assert [each.key for each in loaded.incidents] == ["c", "d", "e1", "e2", "b", "f", "g", "h"]
    assert messages(loaded) == ["warning page.md:1 not-an-incident-file"]
    assert load(Settings(root=tmp_path), [tmp_path]) == loaded


def test_the_order_and_repetition_of_paths_do_not_matter(tmp_path: Path) -> None:
    tree(tmp_path)
    paths = [tmp_path / "b.yaml", tmp_path / "a", tmp_path / "f.csv"]
    loaded = load(Settings(root=tmp_path), paths)
    assert [each.key for each in loaded.incidents] == ["c", "d", "e1", "e2", "b", "f"]
    assert (
        load(Settings(root=tmp_path), [*reversed(paths), *paths, tmp_path / "a" / ".." / "b.yaml"]) == loaded
    )


def test_sources_are_globs_files_and_folders_below_the_root(tmp_path: Path) -> None:
    tree(tmp_path)
    found = load(Settings(root=tmp_path, sources=("**/*.y*ml", "f.csv", "a")))
    assert [each.key for each in found.incidents] == ["c", "d", "e1", "e2", "b", "f"]
    assert found.diagnostics == ()
    hidden = load(Settings(root=tmp_path, sources=(".hidden/*.yaml",)))
    assert [each.key for each in hidden.incidents] == ["x"]
    absolute = load(Settings(root=tmp_path / "a", sources=(f"{tmp_path}/*.csv",)))
    assert [str(each.location) for each in absolute.incidents] == [f"{tmp_path.as_posix()}/f.csv:2"]


@pytest.mark.parametrize(
    ("pattern", "code"),
    [
        ("none/*.yaml", "no-match"),
        ("*.txt", "no-match"),
        ("**.yaml", "bad-value"),
        ("none.yaml", "no-such-file"),
    ],
)
def test_a_source_without_incidents_is_an_error(tmp_path: Path, pattern: str, code: str) -> None:
    tree(tmp_path)
    for path in (None, tmp_path / "importer.yaml"):
        loaded = load(Settings(root=tmp_path, path=path, sources=(pattern,)))
        assert [each.code for each in loaded.diagnostics] == [code]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("none.yaml", "no-such-file"),
        ("notes.txt", "not-supported"),
        ("doc.md", "no-front-matter"),
        ("page.md", "not-an-incident-file"),
        ("plan.json", "not-an-incident-file"),
        ("report.csv", "not-an-incident-file"),
        ("importer.yaml", "not-an-incident-file"),
        ("empty", "no-match"),
    ],
)
def test_a_path_without_incidents_is_an_error(tmp_path: Path, name: str, code: str) -> None:
    tree(tmp_path)
    (tmp_path / "empty").mkdir()
    loaded = load(Settings(root=tmp_path), [tmp_path / name])
    assert [(each.severity, each.code) for each in loaded.diagnostics] == [(Severity.ERROR, code)]
    assert loaded.incidents == ()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.yaml", ""),
        ("a.yaml", "# nothing\n---\n"),
        ("a.yaml", "text"),
        ("a.yaml", "name: x\non: push\njobs: {}\n"),
        ("a.json", '{"name": "package", "version": "1"}'),
        ("a.json", '{"page": {}, "incidents": [{"id": "1", "name": "B"}]}'),
        ("a.json", "[]"),
        ("a.yaml", "incidents: []"),
        ("a.csv", "Issue,Priority\n1,2\n"),
        ("a.csv", "key,name\n"),
    ],
)
def test_another_file_is_a_warning_in_a_folder_and_an_error_if_named(
    tmp_path: Path, name: str, text: str
) -> None:
    write(tmp_path, **{name: text})
    assert messages(load(Settings(root=tmp_path))) == [f"warning {name}:1 not-an-incident-file"]
    assert messages(load(Settings(root=tmp_path), [tmp_path / name])) == [
        f"error {name}:1 not-an-incident-file"
    ]
    assert messages(load(Settings(root=tmp_path), [tmp_path, tmp_path / name])) == [
        f"error {name}:1 not-an-incident-file"
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("incidents: [{key: A, name: B}]\nother: 1\n", ["error a.yaml:2 unknown-field"]),
        ("incidents: {}\nname: B\nkey: C\n", ["error a.yaml:1 wrong-type", "error a.yaml:2 unknown-field", "error a.yaml:3 unknown-field"]),
        ("- key: A\n  name: B\n- text\n", ["error a.yaml:3 wrong-type"]),
        ("key: A\nname: B\n---\ntext\n", ["error a.yaml:1 wrong-type"]),
        ("key: A\nname: [\n", ["error a.yaml:3 syntax"]),
        ("key: A\nkey: B\nname: C\n", ["error a.yaml:2 duplicate-field"]),
        ("kee: A\nname: B\nsummary: C\n", ["error a.yaml:1 missing-field", "error a.yaml:1 unknown-field"]),
    ],
)  # fmt: skip
def test_mistakes_are_errors_with_their_lines(tmp_path: Path, text: str, expected: list[str]) -> None:
    write(tmp_path, **{"a.yaml": text})
    assert sorted(messages(load(Settings(root=tmp_path)))) == sorted(expected)


def test_an_incident_of_the_wrong_shape_is_skipped_and_the_others_are_read(tmp_path: Path) -> None:
    write(tmp_path, **{"a.yaml": "- {key: A, name: B}\n- {key: C}\n- {key: D, name: E}\n"})
    assert [each.key for each in load(Settings(root=tmp_path)).incidents] == ["A", "D"]


@pytest.mark.parametrize("name", ["a.yaml", "a.json", "a.csv"])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_determines_the_encoding(tmp_path: Path, name: str, encoding: str) -> None:
    texts = {"a.yaml": "key: é\nname: B\n", "a.json": '{"key": "é", "name": "B"}', "a.csv": "key,name\né,B\n"}
    write(tmp_path, **{name: texts[name].encode(encoding)})
    (incident,) = load(Settings(root=tmp_path)).incidents
    assert incident.key == "é"


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("a.yaml", b"key: A\nname: caf\xe9\n", "error a.yaml:2 not-utf-8"),
        ("a.csv", b'key,name\n"A\nB",C\nD,caf\xe9\n', "error a.csv:3 not-utf-8"),
        ("a.yaml", b"key: A\nname: \0\n", "error a.yaml:2 not-text"),
        ("a.json", '{"key": "A"}'.encode("utf-16-le"), "error a.json:1 not-text"),
        ("a.yaml", b"\xff\xfek\0e", "error a.yaml:1 not-utf-8"),
        ("a.yaml", b"\x89PNG\r\n\x1a\n\0", "error a.yaml:1 not-utf-8"),
    ],
)
def test_bytes_that_are_not_text_are_one_error(tmp_path: Path, name: str, data: bytes, expected: str) -> None:
    write(tmp_path, **{name: data})
    assert messages(load(Settings(root=tmp_path))) == [expected]


def test_links_are_followed_once(tmp_path: Path) -> None:
    write(tmp_path, **{"real/a.yaml": INCIDENT.format("A")})
    root = tmp_path / "root"
    root.mkdir()
    (root / "loop").symlink_to(root)
    (root / "link").symlink_to(tmp_path / "real")
    (root / "same.yaml").symlink_to(tmp_path / "real" / "a.yaml")
    loaded = load(Settings(root=root))
    assert [str(each.location) for each in loaded.incidents] == ["link/a.yaml:1"]
    assert loaded.diagnostics == ()


def test_a_path_outside_the_root_is_shown_as_given(tmp_path: Path) -> None:
    write(tmp_path, **{"a.yaml": INCIDENT.format("A")})
    loaded = load(Settings(root=tmp_path / "root"), [tmp_path / "a.yaml"])
    assert loaded.incidents[0].location.path == (tmp_path / "a.yaml").as_posix()


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs a file that fails when it is read")
def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").symlink_to("/proc/self/mem")
    loaded = load(Settings(root=tmp_path))
    assert (messages(loaded), loaded.inputs) == (["error a.yaml:1 unreadable"], ())


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    write(tmp_path, **{"a.yaml": INCIDENT.format("A"), "closed/b.yaml": INCIDENT.format("B")})
    (tmp_path / "closed").chmod(0)
    loaded = load(Settings(root=tmp_path))
    (tmp_path / "closed").chmod(0o700)
    assert [each.code for each in loaded.diagnostics] == ["unreadable"]


@pytest.mark.parametrize("enabled", [True, False])
def test_the_garbage_collector_is_left_as_it_was(tmp_path: Path, enabled: bool) -> None:
    before = gc.isenabled()
    try:
        (gc.enable if enabled else gc.disable)()
        load(Settings(root=tmp_path))
        assert gc.isenabled() == enabled
    finally:
        (gc.enable if before else gc.disable)()


def test_an_export_with_importers_column_names_loads_without_a_mapping(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    path.write_text(
        "key,name,summary,severity,timestamps.Impact started at,timestamps.Resolved at\r\n"
        'pier-1,Lamps out on 2011-05-06 07:08:00 UTC,"<ul><li><strong>Out</strong>, as ""ever""</li></ul>",'
        "Minor,2011-05-06T07:08:00.000Z,2011-05-06T09:10:11.120Z\r\n"
        "pier-2,Ferry late,,Major,2012-01-02T03:04:05Z,\r\n",
        newline="",
    )
    loaded = load(Settings(root=tmp_path), [path])
    assert ([each.key for each in loaded.incidents], loaded.diagnostics) == (["pier-1", "pier-2"], ())


@pytest.mark.skipif(not SAMPLES.exists(), reason="the samples are not here")
def test_a_real_export_loads_without_a_mapping() -> None:
    """The test before this one covers runs without the samples."""
    loaded = load(Settings(root=SAMPLES.parent), [SAMPLES])
    assert (len(loaded.incidents), loaded.diagnostics) == (1282, ())


def ignored(*fields: Field) -> frozenset[Ignored]:
    return frozenset(Ignored(Attribute(each)) for each in fields)


def test_the_nearest_policy_wins_key_by_key(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(
        "key,name,severity,on_drift,ignore_changes,ignore_changes\n"
        "A,A,Minor,fail,summary; severity,name\n"
        "B,B,Minor,,,\n"
    )
    (tmp_path / "b.yaml").write_text("- {key: C, name: C, severity: Minor, ignore_changes: []}\n")
    wide = Policy(OnDrift.KEEP, ignored(Field.CALL_URL))
    near = Policy(OnDrift.OVERWRITE, ignored(Field.SUMMARY))
    settings = Settings(root=tmp_path, policy=wide, sources=("*.yaml", PlainSource("a.csv", policy=near)))
    policies = {each.key: each.policy for each in load(settings).incidents}
    assert policies == {
        "A": Policy(OnDrift.FAIL, ignored(Field.SUMMARY, Field.SEVERITY, Field.NAME)),
        "B": near,
        "C": Policy(OnDrift.KEEP),
    }


def test_a_source_without_a_mapping_may_have_its_own_timezone(tmp_path: Path) -> None:
    text = "- {{key: {0}, name: N, severity: Minor, timestamps: {{Reported at: 2024-01-01 12:00}}}}\n"
    for name in ("a", "b"):
        (tmp_path / f"{name}.yaml").write_text(text.format(name))
    sources = ("b.yaml", PlainSource("a.yaml", "America/New_York"))
    loaded = load(Settings(root=tmp_path, timezone="UTC", sources=sources))
    hours = {each.key: each.began.hour for each in loaded.incidents if each.began}
    assert hours == {"a": 17, "b": 12}


@pytest.mark.parametrize("pattern", ["i/**", "i/**/", "i/**/*"])
def test_two_stars_at_the_end_of_a_glob_are_every_file_below(tmp_path: Path, pattern: str) -> None:
    text = "- {{key: {0}, name: N, severity: Minor}}\n"
    write(tmp_path, **{"i/a.yaml": text.format("A"), "i/sub/b.yaml": text.format("B")})
    loaded = load(Settings(root=tmp_path, sources=(pattern,)))
    assert ([each.key for each in loaded.incidents], loaded.diagnostics) == (["A", "B"], ())


@pytest.mark.parametrize("where", ["", "below"])
def test_every_importer_yaml_in_a_folder_is_passed_over(
    tmp_path: Path, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, **{"a.yaml": "{key: A, name: N, severity: Minor}\n"})
    write(tmp_path / where, **{"importer.yaml": "version: 1\n"})
    monkeypatch.chdir(tmp_path)
    for paths in ([], [Path()], [tmp_path]):
        loaded = load(Settings(root=tmp_path), paths)
        assert ([each.key for each in loaded.incidents], loaded.diagnostics) == (["A"], ())


def test_cells_of_repeated_columns_are_split_too(tmp_path: Path) -> None:
    header = "key,name,severity,custom_fields.Teams,custom_fields.Teams\n"
    write(tmp_path, **{"a.csv": f"{header}A,A,Minor,x;y,z\n"})
    (incident,) = load(Settings(root=tmp_path)).incidents
    assert Attribute(Field.CUSTOM_FIELD, Reference(Kind.CUSTOM_FIELD, "Teams")) in incident.attributes
    assert (Packed("x;y"), Packed("z")) in incident.attributes.values()
