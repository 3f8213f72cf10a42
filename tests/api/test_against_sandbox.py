"""The client with retries and pacing against the sandbox, which shares no code with it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import httpx
import pytest

from importer.api.client import Client, open_client
from importer.api.connection import Connection
from importer.api.transport import read_write_transport
from importer.model import (
    Attachment,
    Attribute,
    Attributes,
    Catalogue,
    Child,
    Entity,
    Field,
    FollowUp,
    Kind,
    Link,
    Membership,
    Needs,
    PostmortemDocument,
    Reference,
    StatusPageIncident,
    StatusPageUpdate,
    TimelineItem,
    Value,
)
from importer.model.errors import AuthenticationFailed, NoAnswer
from importer.model.settings import Rate
from importer.plan.differences import same
from importer.plan.steps import child_creation, child_edits
from importer.sandbox import (
    Fault,
    FaultKind,
    Faults,
    RateLimit,
    RetryAfter,
    Sandbox,
    SandboxOptions,
    open_sandbox,
)
from tests.api.clocks import Waits
from tests.api.sending import change, create, create_child, create_option, edit

AT = datetime(2023, 4, 12, 9, 14, tzinfo=UTC)
OPENED: list[Sandbox] = []


@pytest.fixture(autouse=True)
def _close_sandboxes() -> Iterator[None]:
    yield
    while OPENED:
        OPENED.pop().close()


def opened(options: SandboxOptions | None = None, waits: Waits | None = None) -> Sandbox:
    clock = time.time if waits is None else (lambda: waits.clock.now().timestamp())
    sandbox = open_sandbox(None, options=options, clock=clock)
    OPENED.append(sandbox)
    return sandbox


def client(sandbox: Sandbox, waits: Waits | None = None, *, key: str = "sandbox-key") -> Client:
    stack = read_write_transport(httpx.WSGITransport(app=sandbox.app), (waits or Waits()).wait_policy, Rate())
    return open_client(Connection("http://sandbox", key), stack)


def everything() -> Needs:
    names = ("Affected teams", "Affected services", "Root cause")
    return Needs(
        frozenset(Reference(Kind.CUSTOM_FIELD, each) for each in names), users=True, status_pages=True
    )


def named(entities: tuple[Entity, ...], name: str) -> Entity:
    return next(each for each in entities if each.name == name)


def smallest(catalogue: Catalogue, **texts: str) -> dict[Attribute, Value]:
    return {
        Attribute(Field.VISIBILITY): "public",
        Attribute(Field.SEVERITY): catalogue.severities[0],
        Attribute(Field.STATUS): next(s.entity for s in catalogue.statuses if s.category == "closed"),
        Attribute(Field.NAME): texts.get("name", "Payments down"),
    }


def full(catalogue: Catalogue) -> Attributes:
    fields = {each.entity.name: each for each in catalogue.custom_fields}

    def custom(name: str) -> Attribute:
        return Attribute(Field.CUSTOM_FIELD, fields[name].entity)

    team = catalogue.catalog_entries[fields["Affected teams"].catalog_type_id or ""][0].entity
    return {
        **smallest(catalogue),
        Attribute(Field.SUMMARY): "Two\n\n- lines",
        Attribute(Field.INCIDENT_TYPE): catalogue.incident_types[0].entity,
        Attribute(Field.TIMESTAMP, named(catalogue.timestamps, "Resolved at")): AT,
        Attribute(Field.ROLE, named(catalogue.roles, "Incident Lead")): catalogue.users[0].entity,
        Attribute(Field.ROLE, named(catalogue.roles, "Reporter")): catalogue.users[1].entity,
        custom("Affected teams"): (team,),
        custom("Root cause"): (catalogue.options[fields["Root cause"].entity.id][0],),
        custom("Customers affected"): Decimal("1.2E+3"),
        custom("Legacy ID"): "JIRA-1",
        custom("Runbook"): Link("https://runbooks.example/1"),
        Attribute(Field.POSTMORTEM_URL): "https://docs.example/1",
    }


def test_a_created_incident_is_returned_by_every_endpoint_that_shows_it() -> None:
    api = client(opened())
    wanted = full(api.catalogue(everything()))
    made = create(api, wanted, idempotency_key="k", external_id=48).live

    shown = [made, api.incident(made.id), api.incident("48"), *api.incidents()]
    assert len(shown) == 4
    for each in shown:
        assert each is not None
        assert {a: each.attributes.get(a) for a in wanted} == dict(wanted)
        assert (each.number, each.mode) == (48, "retrospective")


def test_an_edit_sets_and_clears_and_announces_nothing() -> None:
    sandbox = opened()
    api = client(sandbox)
    catalogue = api.catalogue(everything())
    wanted = full(catalogue)
    made = create(api, wanted, idempotency_key="k").live
    clear: dict[Attribute, Value] = {
        attribute: None
        for attribute in wanted
        if attribute.field in (Field.SUMMARY, Field.CUSTOM_FIELD, Field.TIMESTAMP)
    }
    edited = edit(api, made.id, {**clear, Attribute(Field.NAME): "Renamed"})

    assert edited.name == "Renamed"
    assert not set(clear) & set(edited.attributes)
    assert not sandbox.journal().announcements


@pytest.mark.parametrize("kind", [each for each in FaultKind if each is not FaultKind.LATENCY])
def test_no_fault_makes_the_client_create_a_second_incident(kind: FaultKind) -> None:
    waits = Waits()
    sandbox = opened(waits=waits)
    api = client(sandbox, waits)
    wanted = smallest(api.catalogue(Needs()))
    sandbox.faults = Faults((Fault(kind, on="POST /v2/incidents", nth=frozenset({1, 2}), seconds=0.01),))
    with suppress(NoAnswer):
        create(api, wanted, idempotency_key="k")

    assert len(list(api.incidents())) <= 1
    if kind not in (FaultKind.TOO_MANY_REQUESTS, FaultKind.CONFLICT):  # nothing was carried out
        requests = sandbox.journal().requests
        assert sum(count for what, count in requests.items() if what.startswith("POST /v2/incidents ")) == 1


@pytest.mark.parametrize("kind", [FaultKind.DROP_AFTER, FaultKind.ERROR_AFTER, FaultKind.TRUNCATED])
def test_a_follow_up_whose_answer_is_lost_is_created_once(kind: FaultKind) -> None:
    waits = Waits()
    sandbox = opened(waits=waits)
    api = client(sandbox, waits)
    made = create(api, smallest(api.catalogue(Needs())), idempotency_key="k").live
    sandbox.faults = Faults((Fault(kind, on="POST /v3/follow_ups"),))
    with pytest.raises(NoAnswer):
        create_child(api, made.id, Attribute(Field.FOLLOW_UP, "Alert"), FollowUp())

    assert len(api.children(made.id, frozenset({Field.FOLLOW_UP}))) == 1


def children(catalogue: Catalogue) -> dict[Attribute, Child]:
    user = catalogue.users[0].entity
    page = catalogue.status_pages[0]
    update = StatusPageUpdate(AT, "resolved", "Fixed", ((page.components[0], "operational"),))
    return {
        Attribute(Field.TIMELINE, "Rolled back"): TimelineItem(AT, "To v410"),
        Attribute(Field.FOLLOW_UP, "Alert"): FollowUp("Why", user, "completed"),
        Attribute(Field.ATTACHMENT, "arbitrary_url https://x.example/1"): Attachment(
            "arbitrary_url", url="https://x.example/1", title="Graph"
        ),
        Attribute(Field.POSTMORTEM): PostmortemDocument("# Why", "completed", "Review"),
        Attribute(Field.STATUS_PAGE, page.entity): StatusPageIncident(page.entity, "API down", (update,)),
    }


@pytest.mark.parametrize("missing", [frozenset[str](), frozenset({"/v3/follow_ups", "/v3/follow_ups/{id}"})])
def test_every_kind_of_child_is_found_again_under_its_key(missing: frozenset[str]) -> None:
    api = client(opened(SandboxOptions(missing=missing)))
    catalogue = api.catalogue(everything())
    made = create(api, smallest(catalogue), idempotency_key="k").live
    wanted = children(catalogue)
    for attribute, value in wanted.items():
        child = create_child(api, made.id, attribute, value)
        for step in child_creation(made.id, attribute, value)[1]:
            change(api, replace(step, child_id=child.id))

    found = {each.attribute: each for each in api.children(made.id, frozenset(Field))}
    assert set(wanted) - set(found) == {Attribute(Field.STATUS_PAGE, catalogue.status_pages[0].entity)}
    (public,) = api.status_page_incidents(catalogue.status_pages[0].entity)
    assert same(public.value, wanted[public.attribute])
    follow_up = found[Attribute(Field.FOLLOW_UP, "Alert")]
    assert follow_up.value == wanted[Attribute(Field.FOLLOW_UP, "Alert")]
    assert found[Attribute(Field.TIMELINE, "Rolled back")].value == TimelineItem(AT, "To v410")

    later = TimelineItem(AT + timedelta(minutes=1), "To v409")
    item = found[Attribute(Field.TIMELINE, "Rolled back")]
    for child, value in ((item, later), (follow_up, FollowUp(status="not_doing"))):
        for each in child_edits(child.attribute, value, before=child.value, child_id=child.id):
            change(api, each)
    again = {each.attribute: each.value for each in api.children(made.id, frozenset(Field))}
    assert again[item.attribute] == later
    assert again[follow_up.attribute] == FollowUp("Why", catalogue.users[0].entity, "not_doing")


def test_a_member_of_a_private_incident_may_be_added_twice() -> None:
    api = client(opened())
    catalogue = api.catalogue(Needs(users=True))
    private = {**smallest(catalogue), Attribute(Field.VISIBILITY): "private"}
    made = create(api, private, idempotency_key="k").live
    member = Attribute(Field.MEMBER, catalogue.users[0].entity)
    for _ in range(2):
        create_child(api, made.id, member, Membership())


def test_a_new_option_is_listed_and_can_be_chosen() -> None:
    api = client(opened())
    catalogue = api.catalogue(everything())
    cause = next(each.entity for each in catalogue.custom_fields if each.entity.name == "Root cause")
    option = create_option(api, cause, "Cosmic rays")

    assert option in api.options(cause.id)
    chosen = {**smallest(catalogue), Attribute(Field.CUSTOM_FIELD, cause): (option,)}
    made = create(api, chosen, idempotency_key="k").live
    assert made.attributes[Attribute(Field.CUSTOM_FIELD, cause)] == (option,)


def test_a_list_of_many_pages_is_complete() -> None:
    api = client(opened(SandboxOptions(rate_limit=None)))
    wanted = smallest(api.catalogue(Needs()))
    for number in range(501):
        create(api, wanted, idempotency_key=f"k{number}")

    found = [each.number for each in api.incidents()]
    assert len(found) == len(set(found)) == 501


@pytest.mark.parametrize("form", list(RetryAfter))
def test_the_sandboxs_limit_is_never_hit(form: RetryAfter) -> None:
    waits = Waits()
    sandbox = opened(SandboxOptions(rate_limit=RateLimit(60, 60), retry_after=form), waits)
    api = client(sandbox, waits)
    for _ in range(150):
        api.identity()

    assert sandbox.journal().too_many_requests == 0
    assert waits.clock.seconds < 95


def test_the_limit_on_creations_is_waited_out() -> None:
    waits = Waits()
    sandbox = opened(SandboxOptions(creations_per_hour=20), waits)
    api = client(sandbox, waits)
    wanted = smallest(api.catalogue(Needs()))
    for number in range(45):
        create(api, wanted, idempotency_key=f"k{number}")

    assert len(list(api.incidents())) == 45
    assert waits.clock.seconds < 3 * 3600
    assert {each.scope for each in waits.recorded} == {"creations"}


def test_a_read_only_key_is_refused_with_the_missing_scope() -> None:
    sandbox = opened()
    wanted = smallest(client(sandbox).catalogue(Needs()))
    with pytest.raises(AuthenticationFailed) as caught:
        create(client(sandbox, key="sandbox-read-only"), wanted, idempotency_key="k")

    assert "scope incidents.create" in caught.value.hint


def test_an_unknown_key_is_refused_and_never_shown() -> None:
    with pytest.raises(AuthenticationFailed) as caught:
        client(opened(), key="inc_s3cret").identity()

    assert "s3cret" not in caught.value.summary + caught.value.hint
