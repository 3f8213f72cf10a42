"""importer.yaml and the environment -> Settings and Connection."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from importer.diagnostics import Diagnostics
from importer.errors import UsageError
from importer.model import Location, OnDrift, Policy

if TYPE_CHECKING:
    from importer.loaders.tree import Block, Node

CONFIG_NAME = "importer.yaml"
DEFAULT_ENDPOINT = "https://api.incident.io"
DEFAULT_STATE = ".importer/state.db"
DEFAULT_ON_UNRESOLVED = "default"
"""The key of `Settings.on_unresolved` for all kinds that it does not name."""

_POLICY = frozenset({"on_drift", "ignore_changes"})
_RATE = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?(%|/ ?min)")
_INVISIBLE = re.compile(r"[\s\x00-\x1f\x7f-\x9f]")


class OnUnresolved(StrEnum):
    """What becomes of a name that the account lacks: stop, leave the incident out, leave the value out."""

    ERROR = "error"
    SKIP = "skip"
    DROP = "drop"


@dataclass(frozen=True, slots=True)
class Rate:
    """The importer's own ceiling: requests a minute, or a share (0 to 1) of what the server allows."""

    per_minute: float | None = None
    share: float = 1.0


@dataclass(frozen=True, slots=True)
class PlainSource:
    """A file, folder or glob of incidents. `timezone` is that of their times without an offset, `policy` what
    counts for them instead of that of the settings, `line` where importer.yaml says so."""

    path: str
    timezone: str | None = None
    line: int = 1
    policy: Policy | None = None


@dataclass(frozen=True, slots=True)
class MappedSource:
    """A file, folder or glob that is read by a mapping: a file, or a preset by its name. `timezone` is that
    of its times without an offset, `encoding` that of a text that is not UTF-8; both go before those of the
    mapping. `line` is where importer.yaml says so, `policy` what counts instead of that of the settings."""

    path: str
    mapping: str | None = None
    preset: str | None = None
    timezone: str | None = None
    line: int = 1
    encoding: str | None = None
    policy: Policy | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """importer.yaml, or its defaults. `root` is its folder: all paths in it are relative to that."""

    root: Path
    path: Path | None = None
    sources: tuple[str | PlainSource | MappedSource, ...] = ()
    defaults: Mapping[str, str] = field(default_factory=dict)
    timezone: str | None = None
    namespace: str = "default"
    marker_field: str | None = None
    aliases: Mapping[str, Mapping[str, str | None]] = field(default_factory=dict)
    on_unresolved: Mapping[str, OnUnresolved] = field(default_factory=dict)
    create_missing: frozenset[str] = frozenset()
    policy: Policy = field(default_factory=Policy)
    max_creates: int | None = None
    max_updates: int | None = None
    rate: Rate = Rate()
    state: Path = Path(".importer/state.db")


@dataclass(frozen=True, slots=True)
class Connection:
    """Where the API is and the key for it. The key is never shown."""

    endpoint: str
    api_key: str = field(repr=False)


def load_settings(path: Path | None, folder: Path, diagnostics: Diagnostics) -> Settings:
    """Read the file at `path`, or importer.yaml in `folder` where there is one; else return the defaults.

    Mistakes go to `diagnostics`, and the values they are in keep their defaults.
    Raises UsageError where `path` names no file.
    """
    chosen = path or folder / CONFIG_NAME
    if path is None and not chosen.is_file():
        return Settings(root=folder, state=folder / DEFAULT_STATE)
    try:
        data = chosen.read_bytes()
    except OSError as error:
        raise UsageError(
            f"the configuration {chosen} cannot be read: {error.strerror}", hint="check --config"
        ) from None
    root = chosen.parent
    block = _checked(data, chosen, diagnostics)
    if block is None:
        return Settings(root=root, path=chosen, state=root / DEFAULT_STATE)
    return _settings(block, chosen, diagnostics)


def parse_rate(text: str) -> Rate:
    """Return a ceiling from `80%` or `600/min`. Raises UsageError for anything else, 0 and 101% included."""
    match = _RATE.fullmatch(text.strip())
    amount = float(match[1]) if match else 0.0
    if match is None or amount == 0 or (match[2] == "%" and amount > 100):
        raise UsageError(
            f"`{text}` is no rate", hint="write a share from 1% to 100%, or requests a minute: 80%, 600/min"
        )
    return Rate(share=amount / 100) if match[2] == "%" else Rate(per_minute=amount)


def connection(environ: Mapping[str, str], endpoint: str | None) -> Connection:
    """Return where the API is (the option, else INCIDENT_ENDPOINT or INCIDENT_API_URL), and the key.

    Raises UsageError where the key is missing or the endpoint unsafe. No message holds the key.
    """
    key = environ.get("INCIDENT_API_KEY", "")
    if not key:
        raise UsageError(
            "INCIDENT_API_KEY is not set",
            hint="create an API key in incident.io and export it; --sandbox needs none",
        )
    if _INVISIBLE.search(key) or not key.isascii():
        raise UsageError(
            "INCIDENT_API_KEY holds a blank, a line break or another character that no key has",
            hint="copy the key again, without quotes or line breaks",
        )
    chosen = (
        endpoint or environ.get("INCIDENT_ENDPOINT") or environ.get("INCIDENT_API_URL") or DEFAULT_ENDPOINT
    )
    return Connection(_endpoint(chosen), key)


def _endpoint(url: str) -> str:
    """Return a base URL without a slash at its end. A path prefix stays."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise UsageError("the endpoint is no URL", hint=f"write it like {DEFAULT_ENDPOINT}") from None
    if parts.username is not None or parts.password is not None:
        raise UsageError(
            "the endpoint holds a user name or password", hint="the key comes from INCIDENT_API_KEY"
        )
    if parts.scheme not in ("http", "https") or not host or _INVISIBLE.search(url):
        raise UsageError(f"the endpoint `{url}` is no http URL", hint=f"write it like {DEFAULT_ENDPOINT}")
    if parts.query or parts.fragment or url.endswith(("?", "#")):
        raise UsageError(
            f"the endpoint `{url}` holds a query or fragment", hint="only a path may follow the host"
        )
    if parts.scheme == "http" and not _is_loopback(host):
        raise UsageError(
            f"the endpoint `{url}` would send the API key unencrypted",
            hint="use https; plain http is for this machine only (localhost, 127.0.0.1, ::1)",
        )
    return url.rstrip("/")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _checked(data: bytes, path: Path, diagnostics: Diagnostics) -> Block | None:
    """Return the mapping that the file holds, or None after saying why it has none of the right shape."""
    from importer.loaders import shape, yaml_file  # noqa: PLC0415  YAML and JSON Schema are slow to import
    from importer.loaders.encoding import decode, physical_line  # noqa: PLC0415
    from importer.loaders.tree import Block, Malformed  # noqa: PLC0415

    name = path.name
    before = len(diagnostics.found)
    try:
        documents = yaml_file.read(decode(data, physical_line), name, diagnostics)
    except Malformed as problem:
        problem.report(name, diagnostics)
        return None
    if len(diagnostics.found) > before:
        return None
    if len(documents) > 1:
        diagnostics.error("wrong-type", "importer.yaml must be one document", Location(name, 1))
        return None
    node: Node = documents[0] if documents and documents[0] is not None else Block(1)
    problems = shape.problems(node, shape.CONFIG, name)
    diagnostics.found += problems
    return node if isinstance(node, Block) and not problems else None


def _settings(block: Block, path: Path, diagnostics: Diagnostics) -> Settings:
    """Return the settings of a mapping of the right shape."""
    root = path.parent
    defaults = _texts(block.get("defaults"))
    identity = _texts(block.get("identity"))
    safety = _texts(block.get("safety"))
    defaults.pop("timezone", None)
    policy = policy_of(block, Policy())
    return Settings(
        root=root,
        path=path,
        sources=_sources(block.get("sources"), policy, path.name, diagnostics),
        defaults=defaults,
        timezone=_zone(block, path.name, diagnostics),
        namespace=identity.get("namespace", "default"),
        marker_field=identity.get("marker_field"),
        aliases={kind: _aliases(names) for kind, names in _entries(block.get("aliases"))},
        on_unresolved=_on_unresolved(block.get("on_unresolved")),
        create_missing=frozenset(_list(block.get("create_missing"))),
        policy=policy,
        max_creates=_count(safety, "max_creates"),
        max_updates=_count(safety, "max_updates"),
        rate=_rate(block, path.name, diagnostics),
        state=root / str(block.get("state", DEFAULT_STATE)),
    )


def policy_of(block: Block, wider: Policy) -> Policy:
    """Return the policy that a mapping of the right shape states; what it leaves open is that of its
    surroundings."""
    if block.keys().isdisjoint(_POLICY):
        return wider
    return Policy(
        on_drift=OnDrift(str(block.get("on_drift") or wider.on_drift)),
        ignore_changes=frozenset(_list(block["ignore_changes"]))
        if "ignore_changes" in block
        else wider.ignore_changes,
    )


def _sources(
    written: Node, policy: Policy, name: str, diagnostics: Diagnostics
) -> tuple[str | PlainSource | MappedSource, ...]:
    found: list[str | PlainSource | MappedSource] = []
    for each in written if isinstance(written, list) else ():
        if isinstance(each, str):
            found.append(each.strip())
        elif isinstance(each, dict):
            found.append(_source(each, policy, name, diagnostics))
    return tuple(found)


def _source(
    written: Block, policy: Policy, name: str, diagnostics: Diagnostics
) -> PlainSource | MappedSource:
    words = _texts(written)
    zone = _known_zone(words.get("timezone"), written.place(name, "timezone"), diagnostics)
    own = None if written.keys().isdisjoint(_POLICY) else policy_of(written, policy)
    where = written.place(name, "encoding")
    encoding = _known_encoding(words.get("encoding"), where, diagnostics)
    if "mapping" in words or "preset" in words:
        preset = words.get("preset")
        return MappedSource(words["path"], words.get("mapping"), preset, zone, written.line, encoding, own)
    if encoding is not None:
        diagnostics.error("bad-value", "`encoding` is for a source with a `mapping` or a `preset`", where)
    return PlainSource(words["path"], zone, written.line, own)


def _zone(block: Block, name: str, diagnostics: Diagnostics) -> str | None:
    """Return the default time zone; None where there is none, or after saying that its name is unknown."""
    from importer.loaders.tree import place  # noqa: PLC0415  as above

    written = _texts(block.get("defaults")).get("timezone")
    return _known_zone(written, place(name, block, ["defaults", "timezone"], line=1), diagnostics)


def _known_zone(written: str | None, where: Location, diagnostics: Diagnostics) -> str | None:
    from importer.loaders import moments  # noqa: PLC0415  as above

    try:
        return moments.zone(written).key if written else None
    except moments.UnknownZone as problem:
        hint = (
            f"did you mean `{problem.nearest}`?"
            if problem.nearest
            else "zones are called like Europe/London or UTC"
        )
        diagnostics.error("unknown-timezone", f"there is no time zone `{written}`", where, hint=hint)
        return None


def _known_encoding(written: str | None, where: Location, diagnostics: Diagnostics) -> str | None:
    from importer.loaders import encoding  # noqa: PLC0415  as above

    if written is None or encoding.is_known(written):
        return written
    diagnostics.error("bad-value", f"there is no encoding `{written}`", where, hint=encoding.NAMES)
    return None


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


def _list(values: Node) -> tuple[str, ...]:
    return tuple(each.strip() for each in values if isinstance(each, str)) if isinstance(values, list) else ()
