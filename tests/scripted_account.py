"""An account in memory for tests of apply, with faults that a test scripts.

It behaves like the API: one incident or timeline item per idempotency key, but a second follow-up or attachment
whenever one is requested.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from typing import Any, TypeVar

from importer.model import (
    Answer,
    Attribute,
    Attributes,
    Child,
    Entity,
    Field,
    FollowUp,
    Kind,
    LiveChild,
    LiveIncident,
    PostmortemDocument,
)
from importer.model.errors import ApiError, AuthenticationFailed, Interrupted, NoAnswer, NotAvailable
from importer.model.steps import (
    CREATE,
    AttachPostmortem,
    CorrectIncident,
    CreateChild,
    CreateIncident,
    CreateOption,
    EditChild,
    EditIncident,
    Id,
    SetChildStatus,
    identity,
)
from importer.wire.requests import Request

T = TypeVar("T")


FIRST_STATUS = {Field.FOLLOW_UP: "outstanding", Field.POSTMORTEM: "in_progress"}


def known(identity: Id) -> str:
    """Return the ID of a step that is sent, which cannot depend on another step."""
    assert isinstance(identity, str)
    return identity


def as_listed(child: LiveChild) -> LiveChild:
    """Return a child as a list shows it: a post-mortem without its content, with the title that was sent."""
    value = child.value
    if not isinstance(value, PostmortemDocument):
        return child
    title = value.title or value.default_title
    return replace(child, value=replace(value, content="", title=title, default_title=None))


class Crash(BaseException):
    """The process ends here; nothing after it is carried out."""


def not_sent() -> ApiError:
    """Return the error of a creation that would have had to wait for too long."""
    error = ApiError(status=429, code="creation-limit", message="not sent")
    error.was_sent = False
    return error


class Fault(Enum):
    NONE = auto()
    REFUSED = auto()
    NOT_SENT = auto()
    CONFLICT = auto()
    LOST_BEFORE = auto()
    UNREACHABLE = auto()
    LOST_AFTER = auto()
    SERVER_ERROR = auto()
    UNAUTHENTICATED = auto()
    FORBIDDEN = auto()
    INTERRUPTED = auto()
    INTERRUPTED_AFTER = auto()
    NOT_AVAILABLE = auto()
    CRASH_BEFORE = auto()
    CRASH_AFTER = auto()


_BEFORE: dict[Fault, Callable[[], BaseException]] = {
    Fault.REFUSED: lambda: ApiError(status=422, code="is_required", message="no", request_id="r-1"),
    Fault.NOT_SENT: not_sent,
    Fault.CONFLICT: lambda: ApiError(status=409, code="conflict", message="try again"),
    Fault.LOST_BEFORE: lambda: NoAnswer("lost"),
    Fault.UNREACHABLE: lambda: NoAnswer("gone", was_sent=False),
    Fault.UNAUTHENTICATED: lambda: AuthenticationFailed(status=401, code="unauthenticated", message="who?"),
    Fault.FORBIDDEN: lambda: AuthenticationFailed(status=403, code="missing_required_scope", message="no"),
    Fault.INTERRUPTED: lambda: Interrupted("Ctrl-C"),
    Fault.NOT_AVAILABLE: lambda: NotAvailable("none here"),
    Fault.CRASH_BEFORE: Crash,
}
_AFTER: dict[Fault, Callable[[], BaseException]] = {
    Fault.LOST_AFTER: lambda: NoAnswer("lost"),
    Fault.SERVER_ERROR: lambda: ApiError(status=503, code="unavailable", message="later"),
    Fault.INTERRUPTED_AFTER: lambda: Interrupted("Ctrl-C"),
    Fault.CRASH_AFTER: Crash,
}
_LISTED = frozenset({Field.TIMELINE, Field.FOLLOW_UP, Field.ATTACHMENT, Field.POSTMORTEM})
_UNSENT = frozenset({Field.CALL_URL, Field.SLACK_CHANNEL_NAME})


@dataclass
class ScriptedAccount:
    """`faults` has one fault per coming request, including reads; `watch` is called before each write with the
    incident's ID or the creation's idempotency key, and the ledger's name of the step."""

    faults: list[Fault] = field(default_factory=list)
    watch: Callable[[str, str], None] = lambda _thing, _step: None
    now: datetime = datetime(2026, 3, 1, 12, tzinfo=UTC)
    has_dates: bool = True
    answers_with: Callable[[LiveIncident], LiveIncident] = lambda live: live
    child_answers_with: Callable[[LiveChild], LiveChild] = lambda child: child
    live: dict[str, LiveIncident] = field(default_factory=dict)
    made_by: dict[str, str] = field(default_factory=dict)
    held: dict[str, list[LiveChild]] = field(default_factory=dict)
    child_made_by: dict[str, LiveChild] = field(default_factory=dict)
    requests: list[tuple[str, ...]] = field(default_factory=list)
    bodies: list[str] = field(default_factory=list)
    changes: list[dict[str, Any]] = field(default_factory=list)
    found: dict[str, list[Entity]] = field(default_factory=dict)

    # -- used by apply ---------------------------------------------------------------------------------

    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def server_time(self) -> datetime | None:
        return self.now.replace(microsecond=0) if self.has_dates else None

    def newest_incidents(self) -> Iterator[LiveIncident]:
        yield from self._asked(lambda: tuple(self.live.values())[::-1], "look", is_write=False)

    def create(self, step: CreateIncident, request: Request) -> Answer:
        once = request.body["idempotency_key"]

        def commit() -> Answer:
            if once not in self.made_by:
                self._make(step.attributes, once, step.external_id)
            live = self.live[self.made_by[once]]
            return Answer(live, self.server_time())

        self.bodies.append(request.content)
        return self._asked(commit, CREATE, once)

    def incident(self, id_or_number: str) -> LiveIncident | None:
        return self._asked(lambda: self.live.get(id_or_number), "show", id_or_number, is_write=False)

    def edit(self, step: EditIncident | CorrectIncident, request: Request) -> LiveIncident:
        incident_id = known(step.incident_id)
        return self._asked(lambda: self._set(incident_id, step.attributes), identity(step), incident_id)

    def children(self, incident_id: str, fields: frozenset[Field]) -> tuple[LiveChild, ...]:
        def commit() -> tuple[LiveChild, ...]:
            held = self.held[incident_id]
            return tuple(as_listed(each) for each in held if each.attribute.field in fields & _LISTED)

        return self._asked(commit, "list", incident_id, *sorted(fields), is_write=False)

    def check_list(self, kind: Field | Entity) -> None:
        """Every kind can be listed."""

    def status_page_incidents(self, page: Entity) -> tuple[LiveChild, ...]:
        def commit() -> tuple[LiveChild, ...]:
            held = (each for children in self.held.values() for each in children)
            return tuple(each for each in held if each.attribute == Attribute(Field.STATUS_PAGE, page))

        return self._asked(commit, "list", page.id, Field.STATUS_PAGE, is_write=False)

    def create_child(self, step: CreateChild, request: Request) -> LiveChild:
        incident_id, attribute, once = known(step.incident_id), step.attribute, request.idempotency_key
        self.bodies.append(request.content)

        def commit() -> LiveChild:
            if once in self.child_made_by:
                return self.child_made_by[once]
            made = FIRST_STATUS.get(attribute.field)
            value = step.value
            if isinstance(value, FollowUp | PostmortemDocument):
                value = replace(value, status=made)
            child = LiveChild(f"{incident_id}-{len(self.held[incident_id])}", attribute, value)
            child = self.child_answers_with(child)
            if attribute.field is Field.MEMBER and any(
                each.attribute == attribute for each in self.held[incident_id]
            ):
                return replace(child, id="")
            self.held[incident_id].append(child)
            if once:
                self.child_made_by[once] = child
            return child

        return self._asked(commit, identity(step), incident_id)

    def change(self, step: AttachPostmortem | EditChild | SetChildStatus, request: Request) -> None:
        if isinstance(step, AttachPostmortem):
            url = {Attribute(Field.POSTMORTEM_URL): step.url.rstrip("/")}
            incident_id = known(step.incident_id)
            self._asked(lambda: self._set(incident_id, url), identity(step), incident_id)
            return
        self.changes.append(request.body)
        child_id = known(step.child_id)
        incident_id = child_id.rpartition("-")[0]

        def commit() -> None:
            held = self.held[incident_id]
            self.held[incident_id] = [
                replace(each, value=step.value) if each.id == child_id else each for each in held
            ]

        self._asked(commit, identity(step), incident_id)

    def options(self, custom_field_id: str) -> tuple[Entity, ...]:
        return self._asked(
            lambda: tuple(self.found.get(custom_field_id, ())), "options", custom_field_id, is_write=False
        )

    def create_option(self, step: CreateOption, request: Request) -> Entity:
        custom_field, name = step.option.custom_field, step.option.name

        def commit() -> Entity:
            option = Entity(Kind.OPTION, f"{custom_field.id}-{name}", name)
            self.found.setdefault(custom_field.id, []).append(option)
            return option

        return self._asked(commit, "option", custom_field.id, name, is_write=False)

    # -- used by tests ---------------------------------------------------------------------------------

    def put(self, attributes: Attributes) -> LiveIncident:
        """Add an incident that was not imported."""
        self._make(attributes, "somebody", None)
        return self.live[self.made_by["somebody"]]

    def put_child(self, incident_id: str, attribute: Attribute, value: Child) -> None:
        """Add a child that was not imported."""
        child = LiveChild(f"{incident_id}-{len(self.held[incident_id])}", attribute, value)
        self.held[incident_id].append(child)

    # -- used by plan ----------------------------------------------------------------------------------

    def incident_count(self) -> int | None:
        return None

    def incidents(self) -> Iterator[LiveIncident]:
        yield from self.live.values()

    # -- below -----------------------------------------------------------------------------------------

    def _asked(self, commit: Callable[[], T], step: str, *about: str, is_write: bool = True) -> T:
        self.requests.append((step, *about))
        if is_write:
            self.watch(about[0], step)
        fault = self.faults.pop(0) if self.faults else Fault.NONE
        if fault is Fault.NOT_AVAILABLE and step in (
            CREATE,
            "edit",
            "correct",
            "show",
            "look",
            "options",
            "option",
        ):
            fault = Fault.REFUSED  # only children are asked for where there may be none
        if fault in _BEFORE:
            raise _BEFORE[fault]()
        self.now += timedelta(seconds=1)
        answer = commit()
        if fault in _AFTER:
            raise _AFTER[fault]()
        return answer

    def _make(self, attributes: Attributes, idempotency_key: str, external_id: int | None) -> None:
        number = external_id or len(self.live) + 1
        kept = {a: v for a, v in attributes.items() if a.field not in _UNSENT and v is not None}
        live = LiveIncident(f"01LIVE{number}", f"INC-{number}", "retrospective", self.now, str(self.now), {})
        self.live[live.id] = live
        self.held[live.id] = []
        self._set(live.id, kept)
        self.live[live.id] = self.answers_with(self.live[live.id])
        self.made_by[idempotency_key] = live.id

    def _set(self, incident_id: str, attributes: Attributes) -> LiveIncident:
        live = self.live[incident_id]
        kept = {
            attribute: value.strip() if isinstance(value, str) else value
            for attribute, value in {**live.attributes, **attributes}.items()
            if value is not None and attribute.field is not Field.SLACK_CHANNEL_NAME
        }
        self.live[incident_id] = replace(live, attributes=kept, updated_at=str(self.now))
        return self.live[incident_id]
