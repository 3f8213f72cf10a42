"""A plan -> a comment for a pull request, in the Markdown of GitHub and GitLab, within a size limit.

User text appears only in fences (see fences). The most important parts come first, so that they are kept if
the comment must be cut.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from importer.model import Change, Create, Diagnostic, NoOp, Plan, Scope, Severity
from importer.model.wording import numbered
from importer.plan.privacy import is_private
from importer.plan.summary import Action, actions
from importer.renderers import fences, view
from importer.renderers.cards import card
from importer.renderers.columns import shortened
from importer.renderers.creations import MANY, split_creations, summarise_creations, table_lines
from importer.renderers.privacy import redacted, visible_diagnostics
from importer.renderers.values import sanitised
from importer.renderers.verdict import left_out_note
from importer.renderers.view import SYMBOLS

MARK = "<!-- importer plan -->"
"""The first line, by which CI finds the comment of an earlier run."""
MAX_BYTES = 60_000
"""Leaves room for a frame: a comment on GitHub has at most 65536 characters."""
LEAST_BYTES = 1_000
"""The counts alone never exceed this."""
_LONGEST_SENTENCE = 300
_LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class Audience:
    """What the readers may see. More than `most` creations are counted instead of listed; None lists all."""

    show_private: bool = False
    most: int | None = MANY


@dataclass(frozen=True, slots=True)
class _CommentBlock:
    """A part that is shown in full, or in short if there is little room, or not at all."""

    whole: str
    short: str


@dataclass(frozen=True, slots=True)
class _CommentSection:
    title: str
    is_open: bool
    blocks: Sequence[_CommentBlock]


@dataclass(frozen=True, slots=True)
class _Fitted:
    """The blocks of a section that are shown, and how many are shown in short or left out."""

    shown: tuple[str, ...]
    in_short: int
    left_out: int

    @property
    def size(self) -> int:
        return sum(map(_size, self.shown))


def render_plan(plan: Plan, *, audience: Audience, max_bytes: int = MAX_BYTES) -> str:
    """Return the comment, of at most `max_bytes` bytes of UTF-8, which are LEAST_BYTES or more.

    Unless the audience may see private incidents, it has only their key, action and location.
    """
    hidden = _hidden(plan, audience)
    sections = [each for each in _sections(plan, audience, hidden) if each.blocks]
    opening, ending = _opening(plan, len(hidden)), _ending(plan)
    room = max_bytes - _size(opening) - _size(ending)
    room -= sum(_size(_framed(each, _nothing_of(each))) for each in sections)
    if room < 0:
        shown = "the failure is" if plan.errored else "the counts are"
        return f"{opening}Cut to fit: only {shown} shown. `importer show PLAN` shows all.\n"
    parts = [opening]
    for section in sections:
        fitted = _fitted(section.blocks, room)
        room -= fitted.size
        parts.append(_framed(section, fitted))
    return "".join([*parts, ending])


def _hidden(plan: Plan, audience: Audience) -> frozenset[str]:
    """Return the keys of the incidents whose text is not shown."""
    if audience.show_private:
        return frozenset()
    return frozenset(
        each.incident.key for each in plan.changes if is_private(each) and not isinstance(each, NoOp)
    )


def _opening(plan: Plan, hidden: int) -> str:
    parts = [MARK, f"**{view.ending(plan)}**", *filter(None, [view.estimate_line(plan)])]
    parts += [] if plan.errored else [view.opening(plan)]
    parts += filter(None, [view.possible_drift(plan), view.ways_out(plan)])
    parts += [fences.of_lines([left_out_note(plan.scope)]).rstrip("\n")] if left_out_note(plan.scope) else []
    if hidden:
        subject = "1 private incident is" if hidden == 1 else f"{hidden} private incidents are"
        parts.append(f"{subject} shown by key and action only.")
    return "\n\n".join(parts) + "\n\n"


def _ending(plan: Plan) -> str:
    origin = [f"account   {_sentence(plan.account.dashboard_url, _LONGEST_NAME)}"]
    origin += [f"revision  {_sentence(plan.revision, _LONGEST_NAME)}"] if plan.revision else []
    left_alone = [_sentence(view.unmanaged(plan), _LONGEST_SENTENCE)] if plan.unmanaged else []
    return fences.of_lines([*left_alone, *origin]).rstrip("\n") + "\n"


def _sentence(text: str, longest: int) -> str:
    return shortened(sanitised(text[:longest]), longest)


def _sections(plan: Plan, audience: Audience, hidden: frozenset[str]) -> Iterator[_CommentSection]:
    """Yield the sections, the most important first."""
    found = visible_diagnostics(plan, show_private=audience.show_private)
    alone, counted = split_creations(plan.changes, audience.most)
    first = sorted(alone, key=lambda each: Action.BLOCKED not in actions(each))
    shown = {action: [each for each in first if actions(each)[0] is action] for action in Action}

    def section(action: Action, title: str, *, is_open: bool) -> _CommentSection:
        blocks = [_card(each, hidden, plan.scope) for each in shown[action]]
        return _CommentSection(f"<code>{SYMBOLS[action]}</code> {len(blocks)} {title}", is_open, blocks)

    errors = [_problem(each) for each in found if each.severity is Severity.ERROR]
    warnings = [_problem(each) for each in found if each.severity is Severity.WARNING]
    yield _CommentSection(numbered(len(errors), "error"), is_open=True, blocks=errors)
    yield section(Action.BLOCKED, "blocked", is_open=True)
    yield section(Action.PENDING, "pending", is_open=True)
    yield _CommentSection(numbered(len(warnings), "warning"), is_open=True, blocks=warnings)
    yield section(Action.UPDATE, view.updates(plan), is_open=False)
    yield section(Action.ADOPT, "to adopt", is_open=False)
    yield section(Action.CREATE, "to create", is_open=False)
    if counted:
        yield _creations(counted, hidden)


def _card(change: Change, hidden: frozenset[str], scope: Scope) -> _CommentBlock:
    shown = card(change, scope)
    shown = redacted(shown) if change.incident.key in hidden else shown
    return _CommentBlock(fences.of_card(shown), fences.of_title(shown))


def _problem(diagnostic: Diagnostic) -> _CommentBlock:
    return _CommentBlock(fences.of_diagnostic(diagnostic), fences.of_summary(diagnostic))


def _creations(creations: Sequence[Create], hidden: frozenset[str]) -> _CommentSection:
    counted = [each for each in creations if each.incident.key not in hidden]
    uncounted = len(creations) - len(counted)
    lines = list(table_lines(summarise_creations(counted), fences.WIDTH)) if counted else []
    lines += [f"(and {numbered(uncounted, 'private incident')}, not counted here)"] if uncounted else []
    title = f"<code>{SYMBOLS[Action.CREATE]}</code> {len(creations)} to create, in short"
    return _CommentSection(title, is_open=True, blocks=[_CommentBlock(fences.of_lines(lines), "")])


def _fitted(blocks: Sequence[_CommentBlock], room: int) -> _Fitted:
    """Take blocks in full while they fit, then in short; half of the room is kept for the short ones."""
    shown: list[str] = []
    whole, half, rest = 0, room // 2, sum(_size(each.short) for each in blocks)
    for each in blocks:
        rest -= _size(each.short)
        if _size(each.whole) + min(rest, half) > room:
            break
        shown.append(each.whole)
        room -= _size(each.whole)
        whole += 1
    for each in blocks[whole:]:
        if _size(each.short) > room:
            break
        shown.append(each.short)
        room -= _size(each.short)
    return _Fitted(tuple(shown), len(shown) - whole, len(blocks) - len(shown))


def _nothing_of(section: _CommentSection) -> _Fitted:
    return _Fitted((), len(section.blocks), len(section.blocks))


def _framed(section: _CommentSection, fitted: _Fitted) -> str:
    """Return a section, with a line about what was cut. The blank lines make the text between the tags
    Markdown."""
    parts = [f"{fitted.in_short} without details"] if fitted.in_short else []
    parts += [f"{fitted.left_out} not shown"] if fitted.left_out else []
    note = f"Cut to fit: {', '.join(parts)}. `importer show PLAN` shows all.\n\n" if parts else ""
    tag = "<details open>" if section.is_open else "<details>"
    return f"{tag}<summary>{section.title}</summary>\n\n{''.join(fitted.shown)}{note}</details>\n\n"


def _size(text: str) -> int:
    return len(text.encode())
