"""Two children -> whether they have the same title and content, exactly or except for their form. Pure.

An account may store a text with other spaces, quotes or case, a link without its trailing slash or query, and
a moment without its milliseconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import assert_never

from importer.model import (
    Attachment,
    Attribute,
    Child,
    FollowUp,
    LiveChild,
    Membership,
    PostmortemDocument,
    StatusPageIncident,
    StatusPageUpdate,
    TimelineItem,
)
from importer.model.forms import is_same_form, is_similar_link, is_similar_text, plain_form
from importer.model.normalise import line
from importer.plan.differences import same
from importer.plan.steps import NEW_FOLLOW_UP, without_status


def title_of(attribute: Attribute, value: Child) -> str:
    """Return the title of a child in the account, or the one that its creation sends."""
    match value:
        case TimelineItem(title=title) | FollowUp(title=title):
            return line(title or str(attribute.key))
        case PostmortemDocument(title=title, default_title=default):
            return line(title or default or "")
        case StatusPageIncident(name=name):
            return line(name)
        case Attachment(url=url, external_id=external_id):
            return url or external_id or ""
        case Membership():
            return ""
        case _:
            assert_never(value)


def has_title(child: LiveChild, attribute: Attribute, form: Child) -> bool:
    """Whether a listed child has the title of a declared one. An attachment has two: URL and external ID."""
    if isinstance(form, Attachment):
        return title_of(attribute, form) in _addresses(child.value, form)
    return title_of(child.attribute, child.value) in (title_of(attribute, form), attribute.key)


def has_similar_title(child: LiveChild, attribute: Attribute, form: Child) -> bool:
    """Whether the titles differ at most in their form."""
    wanted = title_of(attribute, form)
    if isinstance(form, Attachment):
        return any(is_similar_link(each, wanted) for each in _addresses(child.value, form))
    return is_similar_text(title_of(child.attribute, child.value), wanted)


def has_equal_content(live: Child, form: Child) -> bool:
    """Whether a listed child has the content that a creation sends. That of a post-mortem is not listed."""
    return isinstance(form, PostmortemDocument) or same(without_status(live), without_status(form))


def has_nothing_else(live: Child, form: Child) -> bool:
    """Whether a listed child has no part that a declared one leaves out. The status of a follow-up is set
    after its creation, so it counts only if nothing but the title could tell two apart."""
    match live, form:
        case TimelineItem(description=text), TimelineItem(description=declared):
            return not text or bool(declared)
        case FollowUp(), FollowUp():
            held = (live.description, live.assignee, live.labels)
            wanted = (form.description, form.assignee, form.labels)
            has_status = any(wanted) or live.status in (None, form.status or NEW_FOLLOW_UP)
            return has_status and all(one or not other for one, other in zip(wanted, held, strict=True))
        case _:
            return True


def has_similar_content(live: Child, form: Child) -> bool:
    """Whether the contents differ at most in their form."""
    if isinstance(form, StatusPageIncident):
        return is_at_same_times(live, form)
    return has_equal_content(adapted(live, form), form)


def is_at_same_times(live: Child, form: Child) -> bool:
    """Whether two status page incidents have updates at the same times."""
    return (
        isinstance(live, StatusPageIncident)
        and isinstance(form, StatusPageIncident)
        and is_same_form(tuple(each.at for each in live.updates), tuple(each.at for each in form.updates))
    )


def adapted(live: Child, declared: Child) -> Child:
    """Return a listed child with the declared form of each text or moment that differs only in its form. The
    title of a follow-up stays, since an update repeats it, and that of a post-mortem only counts if it is
    declared."""
    match live, declared:
        case TimelineItem(description=text), TimelineItem(description=wanted):
            at = declared.at if is_same_form(live.at, declared.at) else live.at
            return replace(live, at=at, description=_adapted(text, wanted))
        case FollowUp(description=text), FollowUp(description=wanted):
            labels = declared.labels if _are_similar(live.labels, declared.labels) else live.labels
            return replace(live, description=_adapted(text, wanted), labels=labels)
        case Attachment(title=title), Attachment(title=wanted):
            url, external_id = declared.url or live.url, declared.external_id or live.external_id
            return replace(live, url=url, external_id=external_id, title=_adapted(title, wanted))
        case PostmortemDocument(title=title), PostmortemDocument(title=wanted):
            return replace(live, title=wanted and _adapted(title, wanted))
        case StatusPageIncident(name=name), StatusPageIncident():
            updates = declared.updates if have_similar_updates(live, declared) else live.updates
            return replace(live, name=_adapted(name, declared.name) or name, updates=updates)
        case _:
            return live


def _addresses(live: Child, form: Attachment) -> Iterator[str]:
    if isinstance(live, Attachment) and live.resource_type == form.resource_type:
        yield from filter(None, (live.url, live.external_id))


def _adapted(text: str | None, declared: str | None) -> str | None:
    return declared if text and declared and is_similar_text(text, declared) else text


def _are_similar(live: tuple[str, ...], declared: tuple[str, ...]) -> bool:
    return sorted(map(plain_form, live)) == sorted(map(plain_form, declared))


def have_similar_updates(live: StatusPageIncident, declared: StatusPageIncident) -> bool:
    """Whether all updates of two status page incidents differ at most in their form."""

    def is_similar(one: StatusPageUpdate, other: StatusPageUpdate) -> bool:
        is_alike = one.status == other.status and is_similar_text(one.message, other.message)
        return is_alike and is_same_form(one.at, other.at)

    left = list(live.updates)
    for each in declared.updates:
        found = next((update for update in left if is_similar(update, each)), None)
        if found is None:
            return False
        left.remove(found)
    return not left
