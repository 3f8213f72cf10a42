"""The validated mapping of an incident -> an Incident: references with places, times in UTC, children."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import cast
from zoneinfo import ZoneInfo

from importer.formats.tree import Block, Node, Series, texts
from importer.model import (
    Attachment,
    Attribute,
    Child,
    Field,
    FollowUp,
    Incident,
    Kind,
    Location,
    Membership,
    Packed,
    Policy,
    PostmortemDocument,
    Reference,
    Scalar,
    StatusPageIncident,
    StatusPageUpdate,
    TimelineItem,
    Value,
    normalise,
)
from importer.model.diagnostics import Diagnostics
from importer.model.moments import InvalidMoment, moment
from importer.model.settings import Settings
from importer.sources.settings_file import policy_of

ReadDocument = Callable[[str, Location], str | None]
"""The file name of a post-mortem and its place -> its text, or None after a diagnostic."""

_TEXTS = {
    each.value: Attribute(each)
    for each in (
        Field.NAME,
        Field.SUMMARY,
        Field.VISIBILITY,
        Field.CALL_URL,
        Field.SLACK_CHANNEL_ID,
        Field.SLACK_TEAM_ID,
        Field.SLACK_CHANNEL_NAME,
    )
}
_REFERENCES = {
    "severity": (Attribute(Field.SEVERITY), Kind.SEVERITY),
    "status": (Attribute(Field.STATUS), Kind.STATUS),
    "incident_type": (Attribute(Field.INCIDENT_TYPE), Kind.INCIDENT_TYPE),
}

_CLEARED_ONE_BY_ONE = frozenset({Field.TIMESTAMP, Field.ROLE, Field.CUSTOM_FIELD})


@dataclass(frozen=True, slots=True)
class FileContext:
    """What all incidents of a file share. With `packs_cells`, one cell of a table may hold several values of
    a custom field; a mapping has already split them."""

    path: str
    settings: Settings
    zone: ZoneInfo | None
    read_document: ReadDocument
    diagnostics: Diagnostics
    packs_cells: bool = True
    policy: Policy = field(default_factory=Policy)


def incident(block: Block, source: FileContext) -> Incident:
    """Return the incident that a validated mapping declares, with the defaults of the settings.

    Values that cannot be read are reported and left out. The casts below rely on the schema.
    """
    number = block.get("external_id")
    external_id = int(number) if isinstance(number, str) else None
    return Incident(
        key=normalise.line(_text(block, "key")) or str(external_id),
        external_id=external_id,
        attributes=_Draft(block, source).attributes(),
        location=Location(source.path, block.line),
        idempotency_key=_text(block, "idempotency_key").strip() or None,
        policy=policy_of(block, source.policy, source.path),
    )


@dataclass(slots=True)
class _Draft:
    """The attributes of one incident under construction."""

    block: Block
    source: FileContext
    found: dict[Attribute, Value] = field(default_factory=dict)

    def attributes(self) -> dict[Attribute, Value]:
        for name, value in self.block.items():
            if name in _TEXTS:
                self.found[_TEXTS[name]] = normalise.text(value) if isinstance(value, str) else None
            elif name in _REFERENCES:
                attribute, kind = _REFERENCES[name]
                self.found[attribute] = _reference(kind, value, self.place(self.block, name))
            elif name in _READERS and value:
                _READERS[name](self, value)
            elif name in _READERS:
                self.warn_of_empty(name, value)
        self.add_defaults()
        return self.found

    def warn_of_empty(self, name: str, value: Node) -> None:
        """Warn that a field with nothing below it is read as if it were left out."""
        place = self.place(self.block, name)
        hint = "remove it; what is in incident.io stays as it is"
        if name in _CLEARED_ONE_BY_ONE:
            hint = f"remove it, or clear values one by one: `{name}: {{NAME: null}}`"
        found = "null" if value is None else "empty"
        self.source.diagnostics.warning(
            "empty-field", f"`{name}` is {found}, which is the same as leaving it out", place, hint=hint
        )

    def cleared(self, item: Block, *parts: str) -> tuple[str, ...]:
        """Return the parts of a child that are declared as empty. An export leaves parts empty that it lacks,
        so a mapping clears nothing."""
        if not self.source.packs_cells:
            return ()
        return tuple(each for each in parts if each in item and _is_empty(item[each]))

    def warn_of_kept(self, item: Block, kind: Field, *parts: str) -> None:
        """Warn of parts of a child that are declared as empty, and that no request clears."""
        for each in self.cleared(item, *parts):
            self.source.diagnostics.warning(
                "cannot-be-cleared",
                "values that cannot be cleared stay as they are",
                self.place(item, each),
                detail=f"{kind}: {each}",
                hint="leave them out of the file",
            )

    def add_defaults(self) -> None:
        for name, value in self.source.settings.defaults.items():
            if name in self.block:
                continue
            if name in _TEXTS:
                self.found[_TEXTS[name]] = normalise.text(value)
            else:
                attribute, kind = _REFERENCES[name]
                self.found[attribute] = _reference(kind, value, Location(self.source.path, self.block.line))

    def timestamps(self, moments: Node) -> None:
        for attribute, value, place in self.keyed(moments, Field.TIMESTAMP, Kind.TIMESTAMP):
            at = self.moment(value, place) if isinstance(value, str) else None
            if at is not None or value is None:
                self.put(attribute, at, place)

    def roles(self, people: Node) -> None:
        for attribute, value, place in self.keyed(people, Field.ROLE, Kind.ROLE):
            self.put(attribute, None if value is None else _reference(Kind.USER, value, place), place)

    def custom_fields(self, values: Node) -> None:
        for attribute, value, place in self.keyed(values, Field.CUSTOM_FIELD, Kind.CUSTOM_FIELD):
            packed = self.source.packs_cells and place.column is not None
            self.put(attribute, _custom_value(value, place, packed=packed), place)

    def postmortem(self, written: Node) -> None:
        document = cast(Block, written)
        if "url" in document:
            self.found[Attribute(Field.POSTMORTEM_URL)] = normalise.text(_text(document, "url"))
            return
        self.warn_of_kept(document, Field.POSTMORTEM, "status", "title")
        content = normalise.text(_text(document, "content")) or self.source.read_document(
            _text(document, "file").strip(), self.place(document, "file")
        )
        if content is not None:
            self.found[Attribute(Field.POSTMORTEM)] = PostmortemDocument(
                content,
                status=_text(document, "status") or None,
                title=normalise.line(_text(document, "title")) or None,
                default_title=_heading(content) or normalise.line(_text(self.block, "name")) or None,
            )

    def timeline(self, items: Node) -> None:
        for item in _blocks(items):
            at = self.moment(_text(item, "at"), self.place(item, "at"))
            if at is not None:
                title = normalise.line(_text(item, "title"))
                value = TimelineItem(at, _body(item), cleared=self.cleared(item, "description"))
                self.add_child(Field.TIMELINE, title, value)

    def follow_ups(self, items: Node) -> None:
        for item in _blocks(items):
            assignee = item.get("assignee")
            labels = item.get("labels")
            child = FollowUp(
                description=_body(item),
                assignee=None
                if assignee is None
                else _reference(Kind.USER, assignee, self.place(item, "assignee")),
                status=_text(item, "status") or None,
                labels=tuple(sorted({normalise.line(each) for each in texts(labels)})),
                cleared=self.cleared(item, "assignee", "description", "labels"),
            )
            self.warn_of_kept(item, Field.FOLLOW_UP, "status")
            self.add_child(Field.FOLLOW_UP, normalise.line(_text(item, "title")), child)

    def attachments(self, items: Node) -> None:
        for item in _blocks(items):
            child = Attachment(
                resource_type=_text(item, "resource_type").strip(),
                url=_text(item, "url").strip() or None,
                external_id=_text(item, "external_id").strip() or None,
                title=normalise.line(_text(item, "title")) or None,
            )
            self.warn_of_kept(item, Field.ATTACHMENT, "title")
            self.add_child(Field.ATTACHMENT, f"{child.resource_type} {child.url or child.external_id}", child)

    def members(self, people: Node) -> None:
        if isinstance(people, Series):
            for person, line in zip(people, people.lines, strict=True):
                place = Location(self.source.path, line, self.block.columns.get("members"))
                self.found[Attribute(Field.MEMBER, _reference(Kind.USER, person, place))] = Membership()

    def status_page(self, published: Node) -> None:
        page = cast(Block, published)
        updates = [self.update(each) for each in _blocks(page["updates"])]
        name = normalise.line(_text(page, "name")) or normalise.line(_text(self.block, "name"))
        on = _reference(Kind.STATUS_PAGE, page["page"], self.place(page, "page"))
        self.found[Attribute(Field.STATUS_PAGE, on)] = StatusPageIncident(
            page=on,
            name=name,
            updates=tuple(each for each in updates if each is not None),
        )

    def update(self, update: Block) -> StatusPageUpdate | None:
        components = update.get("components")
        at = self.moment(_text(update, "at"), self.place(update, "at"))
        if at is None:
            return None
        return StatusPageUpdate(
            at=at,
            status=_text(update, "status"),
            message=normalise.text(_text(update, "message")) or "",
            components=tuple(
                (
                    Reference(Kind.COMPONENT, normalise.line(name), location=self.place(components, name)),
                    str(status),
                )
                for name, status in sorted(components.items())
            )
            if isinstance(components, Block)
            else (),
        )

    def keyed(self, block: Node, kind: Field, of: Kind) -> Iterator[tuple[Attribute, Node, Location]]:
        """Yield the attributes that the keys of a mapping name, with their values and places."""
        path, entries = self.source.path, cast(Block, block)
        for name, value in entries.items():
            place = entries.place(path, name)
            yield Attribute(kind, Reference(of, normalise.line(name), "name", place)), value, place

    def put(self, attribute: Attribute, value: Value, place: Location) -> None:
        """Set an attribute once; names that differ only in white space or Unicode form are equal."""
        before = len(self.found)
        self.found[attribute] = value
        if len(self.found) == before:
            self.source.diagnostics.error(
                "duplicate-field",
                f"`{attribute.label}` appears twice in one incident",
                place,
                hint="remove one of them",
            )

    def add_child(self, kind: Field, title: str, child: Child) -> None:
        """Add a child under its title; the second child with the same title gets the key `title #2`."""
        attribute = Attribute(kind, title)
        count = 1
        while attribute in self.found:
            count += 1
            attribute = Attribute(kind, f"{title} #{count}")
        if count > 1 and isinstance(child, TimelineItem | FollowUp):
            child = replace(child, title=title)
        self.found[attribute] = child

    def moment(self, text: str, place: Location) -> datetime | None:
        """Return the instant that a text denotes; None after reporting why it is invalid."""
        try:
            return moment(text, self.source.zone)
        except InvalidMoment as problem:
            self.source.diagnostics.report(problem, place)
            return None

    def place(self, block: Block, key: str) -> Location:
        return block.place(self.source.path, key)


_READERS: dict[str, Callable[[_Draft, Node], None]] = {
    "timestamps": _Draft.timestamps,
    "roles": _Draft.roles,
    "custom_fields": _Draft.custom_fields,
    "postmortem": _Draft.postmortem,
    "timeline": _Draft.timeline,
    "follow_ups": _Draft.follow_ups,
    "attachments": _Draft.attachments,
    "members": _Draft.members,
    "status_page": _Draft.status_page,
}


def _reference(kind: Kind, value: Node, place: Location) -> Reference:
    """Return the reference that a name, or a mapping such as {id: ...}, denotes."""
    if isinstance(value, Block):
        ((by, name),) = value.items()
        return Reference(kind, str(name).strip(), by, place)
    return Reference(kind, normalise.line(str(value)), "name", place)


def _custom_value(value: Node, place: Location, *, packed: bool) -> Value:
    match value:
        case None:
            return None
        case str():
            text = normalise.text(value)
            return Packed(text) if text and packed else text
        case Series():
            return normalise.several(_member(each, place, packed=packed) for each in value)
        case _:
            return _reference(Kind.OPTION, value, place)


def _member(value: Node, place: Location, *, packed: bool) -> Scalar:
    """Return one of several values: of a list, or of the cells of several columns."""
    if isinstance(value, str):
        return Packed(value) if packed else normalise.line(value)
    return _reference(Kind.OPTION, value, place)


def _text(block: Block, key: str) -> str:
    return block.text(key) or ""


def _is_empty(value: Node) -> bool:
    return not (value.strip() if isinstance(value, str) else value)


def _body(item: Block) -> str | None:
    return normalise.text(_text(item, "description"))


def _blocks(items: Node) -> list[Block]:
    return [each for each in items if isinstance(each, Block)] if isinstance(items, Series) else []


def _heading(markdown: str) -> str:
    """Return the first level-1 heading outside code fences, or an empty text."""
    fenced = False
    for line in markdown.split("\n"):
        if line.startswith(("```", "~~~")):
            fenced = not fenced
        elif line.startswith("# ") and not fenced:
            return normalise.line(line[2:].rstrip().rstrip("#"))
    return ""
