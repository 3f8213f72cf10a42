"""importer.yaml -> Settings, or all of its mistakes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from importer.formats import shape
from importer.formats.text_file import check_encoding
from importer.formats.tree import Block, Node, Series, place, texts
from importer.model import (
    Attribute,
    Field,
    Ignored,
    Kind,
    Location,
    OnDrift,
    Policy,
    Reference,
    moments,
    normalise,
)
from importer.model.diagnostics import Diagnostics, Problem
from importer.model.errors import UsageError
from importer.model.identity import DEFAULT_NAMESPACE
from importer.model.policy import with_folded_title
from importer.model.settings import (
    CONFIG_NAME,
    DEFAULT_ON_UNRESOLVED,
    MappedSource,
    OnUnresolved,
    PlainSource,
    Rate,
    Settings,
    parse_rate,
)

DEFAULT_STATE = ".importer/state.db"

_POLICY = frozenset({"on_drift", "ignore_changes"})
_KINDS = {
    Field.TIMESTAMP: Kind.TIMESTAMP,
    Field.ROLE: Kind.ROLE,
    Field.CUSTOM_FIELD: Kind.CUSTOM_FIELD,
    Field.MEMBER: Kind.USER,
    Field.STATUS_PAGE: Kind.STATUS_PAGE,
}
"""What the keys of a field name; those of the other fields are titles of children."""


def load_settings(path: Path | None, folder: Path, diagnostics: Diagnostics) -> Settings:
    """Read the file at `path`, or importer.yaml in `folder` if it exists; otherwise return the defaults.

    Mistakes go to `diagnostics`, and those values keep their defaults.
    Raises UsageError if the file cannot be read.
    """
    chosen = path or folder / CONFIG_NAME
    if path is None and not chosen.is_file():
        return Settings(root=folder, state=folder / DEFAULT_STATE)
    try:
        data = chosen.read_bytes()
    except OSError as error:
        summary = f"cannot read the configuration {chosen}: {error.strerror}"
        raise UsageError(summary, hint="check --config") from None
    root = chosen.parent
    block = shape.read(data, shape.CONFIG, chosen.name, diagnostics, empty=Block(1))
    if block is None:
        return Settings(root=root, path=chosen, state=root / DEFAULT_STATE)
    return _settings(block, chosen, diagnostics)


def _settings(block: Block, path: Path, diagnostics: Diagnostics) -> Settings:
    """Return the settings of a valid mapping."""
    root = path.parent
    defaults = _texts(block.get("defaults"))
    identity = _texts(block.get("identity"))
    safety = _texts(block.get("safety"))
    defaults.pop("timezone", None)
    policy = policy_of(block, Policy(), path.name)
    return Settings(
        root=root,
        path=path,
        sources=_sources(block.get("sources"), policy, path.name, diagnostics),
        defaults=defaults,
        timezone=_checked_name(
            _texts(block.get("defaults")).get("timezone"),
            moments.zone,
            place(path.name, block, ["defaults", "timezone"], line=1),
            diagnostics,
        ),
        namespace=identity.get("namespace", DEFAULT_NAMESPACE),
        marker_field=identity.get("marker_field"),
        adopt_matching=identity.get("adopt_matching") == "true",
        aliases={kind: _aliases(names) for kind, names in _entries(block.get("aliases"))},
        on_unresolved=_on_unresolved(block.get("on_unresolved")),
        create_missing=frozenset(texts(block.get("create_missing"))),
        policy=policy,
        max_creates=_count(safety, "max_creates"),
        max_updates=_count(safety, "max_updates"),
        rate=_rate(block, path.name, diagnostics),
        state=root / str(block.get("state", DEFAULT_STATE)),
    )


def policy_of(block: Block, outer: Policy, path: str) -> Policy:
    """Return the policy that a valid mapping of a file sets, with the rest from the `outer` policy."""
    if block.keys().isdisjoint(_POLICY):
        return outer
    return Policy(
        on_drift=OnDrift(str(block.get("on_drift") or outer.on_drift)),
        ignore_changes=frozenset(_ignored(block, path))
        if "ignore_changes" in block
        else outer.ignore_changes,
    )


def _ignored(block: Block, path: str) -> Iterator[Ignored]:
    for number, word in enumerate(texts(block["ignore_changes"])):
        at = place(path, block, ["ignore_changes", number], line=block.line)
        yield Ignored(_attribute(word), word, at)


def _attribute(word: str) -> Attribute:
    """Return the attribute that an entry of `ignore_changes` names, such as `custom_fields.Region`."""
    if word == Field.POSTMORTEM_URL or "." not in word:
        return Attribute(Field(word))
    field, _, name = word.partition(".")
    kind, key = _KINDS.get(Field(field)), normalise.line(name)
    if kind is None:
        return with_folded_title(Attribute(Field(field), key))
    return Attribute(Field(field), Reference(kind, key))


def _sources(
    written: Node, policy: Policy, name: str, diagnostics: Diagnostics
) -> tuple[str | PlainSource | MappedSource, ...]:
    return tuple(
        each.strip() if isinstance(each, str) else _source(each, policy, name, diagnostics)
        for each in (written if isinstance(written, Series) else ())
        if isinstance(each, (str, Block))
    )


def _source(
    written: Block, policy: Policy, name: str, diagnostics: Diagnostics
) -> PlainSource | MappedSource:
    options = _texts(written)
    zone = _checked_name(options.get("timezone"), moments.zone, written.place(name, "timezone"), diagnostics)
    own = None if written.keys().isdisjoint(_POLICY) else policy_of(written, policy, name)
    at = written.place(name, "encoding")
    encoding = _checked_name(options.get("encoding"), check_encoding, at, diagnostics)
    if "mapping" in options or "preset" in options:
        preset = options.get("preset")
        mapping = options.get("mapping")
        return MappedSource(options["path"], mapping, preset, zone, written.line, encoding, own)
    if encoding is not None:
        diagnostics.error("bad-value", "`encoding` requires a `mapping` or a `preset`", at)
    return PlainSource(options["path"], zone, written.line, own)


def _checked_name(
    name: str | None, check: Callable[[str], object], at: Location, diagnostics: Diagnostics
) -> str | None:
    """Return a name; None if there is none, or after reporting that the check refuses it."""
    try:
        if name:
            check(name)
    except Problem as problem:
        diagnostics.report(problem, at)
        return None
    return name or None


def _rate(block: Block, name: str, diagnostics: Diagnostics) -> Rate:
    written = block.get("rate")
    if not isinstance(written, str):
        return Rate()
    try:
        return parse_rate(written)
    except UsageError as problem:
        diagnostics.error("bad-value", problem.summary, block.place(name, "rate"), hint=problem.hint)
        return Rate()


def _on_unresolved(written: Node) -> dict[str, OnUnresolved]:
    if isinstance(written, str):
        return {DEFAULT_ON_UNRESOLVED: OnUnresolved(written)}
    return {kind: OnUnresolved(policy) for kind, policy in _texts(written).items()}


def _aliases(names: Node) -> dict[str, str | None]:
    return {word: target if isinstance(target, str) else None for word, target in _entries(names)}


def _count(safety: Mapping[str, str], name: str) -> int | None:
    return int(safety[name]) if name in safety else None


def _entries(block: Node) -> list[tuple[str, Node]]:
    return list(block.items()) if isinstance(block, dict) else []


def _texts(block: Node) -> dict[str, str]:
    return {key: value.strip() for key, value in _entries(block) if isinstance(value, str)}
