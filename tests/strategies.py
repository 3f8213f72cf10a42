"""Hypothesis strategies for the values that the stages after resolving exchange."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import strategies as st

from importer.model import (
    Account,
    Adopt,
    Attachment,
    Attribute,
    Blocked,
    Create,
    Diagnostic,
    Entity,
    Field,
    FieldChange,
    FollowUp,
    Incident,
    Input,
    Kind,
    Link,
    LiveIncident,
    Location,
    Membership,
    MonthCount,
    NewOption,
    NoOp,
    Origin,
    Packed,
    Pending,
    Plan,
    PostmortemDocument,
    Reference,
    Severity,
    StatusPageIncident,
    StatusPageUpdate,
    TimelineItem,
    Unmanaged,
    Update,
)

texts = st.text(max_size=20)
identifiers = st.text(alphabet="0123456789ABCDEFGHJKMNPQRSTVWXYZ", min_size=26, max_size=26)
kinds = st.sampled_from(Kind)
moments = st.datetimes(
    min_value=datetime(1990, 1, 1),
    max_value=datetime(2100, 1, 1),
    timezones=st.just(UTC),
).map(lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000))
entities = st.builds(Entity, kinds, identifiers, texts)
references = st.builds(Reference, kinds, texts, st.sampled_from(["name", "id", "email", "slack_user_id"]))
things = st.one_of(entities, references)
optional_texts = st.none() | texts

scalars = st.one_of(
    texts,
    moments,
    st.decimals(allow_nan=False, allow_infinity=False),
    entities,
    references,
    st.builds(NewOption, entities, texts),
    st.builds(Link, texts),
    st.builds(Packed, texts),
)
updates = st.builds(
    StatusPageUpdate,
    at=moments,
    status=texts,
    message=texts,
    components=st.lists(st.tuples(things, texts), max_size=3).map(tuple),
)
children = st.one_of(
    st.builds(PostmortemDocument, texts, optional_texts),
    st.builds(TimelineItem, moments, optional_texts, optional_texts),
    st.builds(
        FollowUp,
        description=optional_texts,
        assignee=st.none() | things,
        status=optional_texts,
        labels=st.lists(texts, max_size=3).map(tuple),
    ),
    st.builds(Attachment, texts, optional_texts, optional_texts, optional_texts),
    st.builds(Membership),
    st.builds(StatusPageIncident, page=things, updates=st.lists(updates, max_size=3).map(tuple)),
)
values = st.one_of(st.none(), scalars, children, st.lists(scalars, min_size=1, max_size=4).map(tuple))
attributes = st.builds(Attribute, st.sampled_from(Field), st.none() | texts | things).filter(
    lambda each: not (each.field in (Field.POSTMORTEM, Field.STATUS_PAGE) and isinstance(each.key, str))
)
"""Without the attributes of earlier versions, which a state renews."""

# -- plans as the planner makes them ---------------------------------------------------------------------


def of_kind(kind: Kind) -> st.SearchStrategy[Entity]:
    return st.builds(Entity, st.just(kind), identifiers, texts)


options = st.one_of(
    of_kind(Kind.OPTION),
    of_kind(Kind.CATALOG_ENTRY),
    st.builds(NewOption, of_kind(Kind.CUSTOM_FIELD), texts),
)
custom_values = st.one_of(
    texts,
    st.decimals(allow_nan=False, allow_infinity=False, places=3),
    st.builds(Link, texts),
    st.lists(options, min_size=1, max_size=3).map(tuple),
)
follow_ups = st.builds(
    FollowUp,
    description=optional_texts,
    assignee=st.none() | of_kind(Kind.USER),
    status=st.sampled_from([None, "outstanding", "completed", "not_doing"]),
    labels=st.lists(texts, max_size=3).map(tuple),
)
histories = st.builds(
    StatusPageIncident,
    page=of_kind(Kind.STATUS_PAGE),
    updates=st.lists(
        st.builds(
            StatusPageUpdate,
            at=moments,
            status=texts,
            message=texts,
            components=st.lists(st.tuples(of_kind(Kind.COMPONENT), texts), max_size=2).map(tuple),
        ),
        max_size=2,
    ).map(tuple),
)


def pairs(
    field: Field, key: st.SearchStrategy[object], value: st.SearchStrategy[object]
) -> st.SearchStrategy[tuple[Attribute, object]]:
    return st.tuples(st.builds(Attribute, st.just(field), key), value)


keyless = st.none()
editable_pairs = st.one_of(
    pairs(Field.NAME, keyless, texts),
    pairs(Field.SUMMARY, keyless, texts),
    pairs(Field.CALL_URL, keyless, texts),
    pairs(Field.SEVERITY, keyless, of_kind(Kind.SEVERITY)),
    pairs(Field.TIMESTAMP, of_kind(Kind.TIMESTAMP), moments),
    pairs(Field.ROLE, of_kind(Kind.ROLE), of_kind(Kind.USER)),
    pairs(Field.CUSTOM_FIELD, of_kind(Kind.CUSTOM_FIELD), custom_values),
)
child_pairs = st.one_of(
    pairs(
        Field.POSTMORTEM,
        keyless,
        st.builds(
            PostmortemDocument, texts, st.none() | st.just("completed"), optional_texts, optional_texts
        ),
    ),
    pairs(Field.TIMELINE, texts, st.builds(TimelineItem, moments, optional_texts, optional_texts)),
    pairs(Field.FOLLOW_UP, texts, follow_ups),
    pairs(
        Field.ATTACHMENT, texts, st.builds(Attachment, texts, optional_texts, optional_texts, optional_texts)
    ),
    pairs(Field.MEMBER, of_kind(Kind.USER), st.builds(Membership)),
    pairs(Field.STATUS_PAGE, of_kind(Kind.STATUS_PAGE), histories),
)
created_only_pairs = st.one_of(
    pairs(Field.STATUS, keyless, of_kind(Kind.STATUS)),
    pairs(Field.SLACK_CHANNEL_ID, keyless, texts),
    pairs(Field.ROLE, of_kind(Kind.REPORTER), of_kind(Kind.USER)),
    pairs(Field.POSTMORTEM_URL, keyless, texts),
)
incident_attributes = st.lists(
    st.one_of(editable_pairs, child_pairs, created_only_pairs), max_size=6, unique_by=lambda pair: pair[0]
).map(dict)
locations = st.builds(Location, texts, st.integers(1, 9999), st.none() | st.integers(1, 99))
incidents = st.builds(
    Incident,
    key=texts,
    external_id=st.none() | st.integers(1, 9999),
    attributes=incident_attributes,
    location=locations,
    idempotency_key=optional_texts,
)
live_incidents = st.builds(
    LiveIncident,
    id=identifiers,
    reference=texts,
    mode=texts,
    created_at=moments,
    updated_at=texts,
    attributes=incident_attributes,
    permalink=texts,
)
sent_attributes = incident_attributes.map(lambda given: {**given, Attribute(Field.VISIBILITY): "public"})
origins = st.sampled_from(Origin)
edits = st.one_of(
    st.builds(
        lambda pair, before, origin: FieldChange(pair[0], before, pair[1], origin),
        editable_pairs,
        texts,
        origins,
    ),
    st.builds(lambda pair: FieldChange(pair[0], pair[1], None), editable_pairs),
    st.builds(lambda pair: FieldChange(pair[0], None, pair[1]), child_pairs),
)
some_edits = st.lists(edits, max_size=4, unique_by=lambda change: change.attribute).map(tuple)
some_blocked = st.lists(
    st.builds(lambda pair: FieldChange(pair[0], None, pair[1]), created_only_pairs), max_size=2
).map(tuple)


@st.composite
def creations(draw: st.DrawFn) -> Create | Pending:
    """Draw a creation that sends all but a part of the declaration, and some defaults."""
    incident = draw(incidents)
    left_out = (
        draw(st.sets(st.sampled_from(sorted(incident.attributes, key=repr)))) if incident.attributes else ()
    )
    sent = {each: value for each, value in incident.attributes.items() if each not in left_out}
    attributes = {**sent, **draw(sent_attributes)}
    if draw(st.booleans()):
        return Create(incident, draw(texts), attributes)
    return Pending(incident, draw(texts), attributes, content=draw(st.none() | st.just("{}")))


changes = st.one_of(
    creations(),
    st.builds(Update, incidents, live_incidents, some_edits, some_blocked),
    st.builds(Adopt, incidents, live_incidents, some_edits, some_blocked),
    st.builds(Blocked, incidents, identifiers, texts, texts, texts, some_blocked),
    st.builds(NoOp, incidents, identifiers, texts),
)
diagnostics = st.builds(
    Diagnostic,
    st.sampled_from(Severity),
    texts,
    texts,
    texts,
    texts,
    st.lists(locations, max_size=3).map(tuple),
    st.integers(1, 99),
)
month_counts = st.builds(
    MonthCount, st.sampled_from(["", "2020-02", "2023-12"]), texts, st.integers(min_value=1, max_value=9999)
)
plans = st.builds(
    Plan,
    account=st.builds(Account, texts, texts),
    made_at=moments,
    tool_version=texts,
    inputs=st.lists(st.builds(Input, texts, texts), max_size=2).map(tuple),
    revision=optional_texts,
    changes=st.lists(changes, max_size=4).map(tuple),
    unmanaged=st.lists(st.builds(Unmanaged, texts, texts), max_size=2).map(tuple),
    diagnostics=st.lists(diagnostics, max_size=2).map(tuple),
    unchanged=st.integers(0, 99),
    severities=st.lists(texts, max_size=3).map(tuple),
    history=st.none() | st.lists(month_counts, max_size=3).map(tuple),
)
