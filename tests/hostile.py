"""Texts that try to break out of what shows them, and a plan that contains one of them everywhere.

`TEXTS` are by name; `plan_with(text)` has the same number of changes, rows and problems whatever the text is, so
that its rendering can be compared with the rendering of `plan_with(HARMLESS)`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from importer.model import (
    Adopt,
    Attachment,
    Attribute,
    Attributes,
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
    Origin,
    Pending,
    Plan,
    PostmortemDocument,
    Severity,
    StatusPageIncident,
    StatusPageUpdate,
    TimelineItem,
    Unmanaged,
    Update,
)
from tests import plans

HARMLESS = "words"
LONG = 1_000_000
"""Characters of the longest texts."""

TEXTS = {
    # Text that moves the cursor, colours the screen, or that no output can carry.
    "nul": "a\x00b",
    "controls": "".join(map(chr, range(32))) + "\x7f" + "".join(map(chr, range(0x80, 0xA0))),
    "ansi": "\x1b[31mred\x1b[0m\x1b[2J\x1b[H\x1b]0;title\x07\x1b]8;;https://evil.example\x1b\\link\x1b]8;;\x1b\\",
    "c1": "\x9b31mred\x9b2J \x9d0;title\x9c",
    "bell-and-back": "shown\x08\x08\x08\x08\x08hidden\x07\r overwritten",
    "line-ends": "a\rb\r\nc\x0bd\x0ce\x85f\u2028g\u2029h\ni",
    "tabs": "\tindented\tcode",
    "lone-surrogates": "high \ud800 low \udfff both \udc00\ud800",
    "noncharacters": "\ufffe\uffff\U0010ffff\ufdd0",
    # Invisible text, or text that changes the writing direction.
    "direction": "\u202eesrever\u202c \u2066isolate\u2069 \u061c\u200e\u200f \u202dleft",
    "zero-width": "a\u200bb\u200cc\u200dd\u2060e\ufefff\u00adg\u180eh\u034f",
    "tag-letters": "flag \U000e0041\U000e0042\U000e007f",
    "combining": "Z" + "\u0301" * 300 + "algo",
    "wide": "全角文字" * 40 + "👩‍👩‍👧‍👦🏳️‍🌈",
    "right-to-left": "שלום עולם مرحبا (1) [2] {3}",
    # Markdown: blocks.
    "fences": "```\nout of the fence\n```\n~~~\nand of the other\n~~~\n````diff\n- gone\n````",
    "long-fence": "`" * 500 + "\n" + "~" * 500,
    "fence-in-line": "``` ` `` ```` `",
    "indented-fence": "   ```\n   text\n> ```\n- ```",
    "headings": "# One\n###### Six\nSetext\n======\nOther\n------\n",
    "rules-and-lists": "---\n***\n- item\n* item\n+ item\n1. one\n1) one\n> quotation\n>> deeper",
    "diff": "+ added\n- removed\n@@ -1,2 +1,2 @@\n--- a/file\n+++ b/file\ndiff --git a/a b/b\n! changed\n# note",
    "table": "| a | b |\n|---|---|\n| c | d \\| e |",
    "definitions": "[a]: https://evil.example/ 'title'\n[^1]: note [^1]\n*[HTML]: abbreviation",
    "alerts": "> [!CAUTION]\n> All is lost.",
    "front-matter": "---\nkey: value\n---\n",
    "blank-lines": "\n\n\n   \n\n",
    # Markdown: inside a line.
    "emphasis": "*a* **b** _c_ __d__ ~~e~~ ~f~ ***g*** ==h== ++i++ ^j^ {+k+} [-l-]",
    "code": "`a` ``b`` \\` \\\\` `",
    "links": "[text](https://evil.example) <https://evil.example> https://evil.example www.evil.example a@b.example",
    "images": "![x](https://evil.example/pixel.gif) ![y][z] [![w](https://evil.example)](https://evil.example)",
    "javascript": "[x](javascript:alert(1)) [y](data:text/html,<script>alert(1)</script>) <javascript:alert(1)>",
    "backslashes": "\\\\\\ \\` \\| \\< \\@ ends in \\",
    "entities": "&lt;b&gt; &#60;i&#62; &#x3c; &amp;amp; &commat;channel &nbsp; &#0;",
    "math": "$x$ $$y$$ $`z`$ \\(a\\) \\[b\\]",
    "emoji-codes": ":+1: :shipit: :tada:",
    "spaces-at-the-ends": "  words  ",
    # Text that a code host turns into a link or a notification.
    "mentions": "@octocat @all @channel @here @acme/team @acme/group/sub user@example.com /cc @everyone",
    "issues": "#1 GH-1 octo/cat#12 !34 group/project!34 &5 $6 %7 ~8 ^9 fixes #123 closes octo/cat#1",
    "references": "https://github.com/octo/cat/issues/1 https://gitlab.com/a/b/-/merge_requests/2 SHA 0123456789abcdef0123456789abcdef01234567 octo@0123456",
    "commands": "/close\n/approve\n/assign @me\n/label ~bug\n/merge",
    # HTML.
    "details": "</details></details><details open><summary>x</summary></details>",
    "comment": "<!-- --><!-- importer plan --> --> --!> <!--> <!--",
    "script": "<script>alert(1)</script><style>*{display:none}</style><svg onload=alert(1)>",
    "closings": "</script></style></textarea></title></pre></code></td></table></div></body></html>",
    "attributes": '" onmouseover="alert(1)" x=\'" \'><img src=x onerror=alert(1)>',
    "tags": "<b>bold</b><br><hr><img src=https://evil.example><a href=x>y</a><?php?><![CDATA[x]]><!DOCTYPE html>",
    "json-in-script": '</script><!--<script>\u2028"};alert(1);//',
    "templates": "{{ 7*7 }} {% raw %} ${7*7} <%= 7*7 %> %s %n {0} {name}",
    # Spreadsheets and shells.
    "formulas": "=cmd|' /C calc'!A0\n+1\n-1\n@SUM(1)",
    "shell": '$(reboot) `reboot` ; rm -rf ~ && echo "$HOME" | sh > /dev/null #',
    "paths": "../../../etc/passwd C:\\Windows\\system32 //evil.example/share file:///etc/passwd",
    # Sizes.
    "empty": "",
    "one-long-line": "word " * (LONG // 5),
    "one-long-word": "w" * LONG,
    "many-lines": "line\n" * (LONG // 5),
    "many-backticks": "`" * LONG,
    "many-mentions": "@all #1 " * 5000,
}

_SMALL_PLACES = 20_000
"""The longest key, path or entity name in any account."""


def plan_with(text: str) -> Plan:
    """Return a plan with every kind of change, with `text` in every place for text of a user."""
    short = text[:_SMALL_PLACES]
    return Plan(
        account=plans.plan().account,
        made_at=datetime(2026, 11, 22, 12, tzinfo=UTC),
        tool_version="0.1.0",
        inputs=(Input(short, "0" * 64),),
        revision=short,
        changes=(
            Create(_incident("create", text), "importer-create", _attributes(text)),
            Pending(_incident("pending", text), "importer-pending", _attributes(text)),
            Update(_incident("update", text), _live(text), _changes(text), _blocked(short)),
            Adopt(_incident("adopt", text), _live(text), _changes(text), _blocked(short)),
            Blocked(_incident("blocked", text), "01LIVE", short, "not-ours", text, _blocked(short)),
        ),
        unmanaged=(Unmanaged(short, short),),
        diagnostics=(_diagnostic(Severity.ERROR, text), _diagnostic(Severity.WARNING, text)),
    )


def _entity(kind: Kind, identity: str, text: str) -> Entity:
    return Entity(kind, identity, f"{kind} {text[:_SMALL_PLACES]}")


def _user(text: str) -> Entity:
    return _entity(Kind.USER, "01USER", text)


def _incident(what: str, text: str) -> Incident:
    short = text[:_SMALL_PLACES]
    return Incident(f"{what} {short}", None, _attributes(text), Location(f"{what}/{short}.yaml", 12))


def _live(text: str) -> LiveIncident:
    live = plans.live(77, _attributes(text))
    return replace(live, reference=f"INC-{text[:_SMALL_PLACES]}", updated_at=text, permalink=text)


def _attributes(text: str) -> Attributes:
    moment, user = plans.BEGAN, _user(text)
    return {
        plans.NAME: text.replace("\n", " "),
        plans.SUMMARY: f"before\n{text}\nafter",
        plans.SEVERITY: _entity(Kind.SEVERITY, "01SEVERITY", text),
        plans.STATUS: plans.CLOSED,
        plans.VISIBILITY: "public",
        plans.STARTED: moment,
        Attribute(Field.ROLE, _entity(Kind.ROLE, "01ROLE", text)): user,
        _custom("01SELECT", text): (_entity(Kind.OPTION, "01OPTION", text),),
        _custom("01LINK", text): Link(text.replace("\n", " ")),
        Attribute(Field.POSTMORTEM): PostmortemDocument(f"# Heading\n{text}", "completed", text),
        Attribute(Field.TIMELINE, f"item {text[:_SMALL_PLACES]}"): TimelineItem(moment, text),
        Attribute(Field.FOLLOW_UP, f"action {text[:_SMALL_PLACES]}"): FollowUp(text, user, text, (text,)),
        Attribute(Field.ATTACHMENT, f"link {text[:_SMALL_PLACES]}"): Attachment(text, text, text, text),
        Attribute(Field.MEMBER, user): Membership(),
        Attribute(Field.STATUS_PAGE, _entity(Kind.STATUS_PAGE, "01PAGE", text)): StatusPageIncident(
            _entity(Kind.STATUS_PAGE, "01PAGE", text),
            text,
            (StatusPageUpdate(moment, text, text, ((_entity(Kind.COMPONENT, "01API", text), text),)),),
        ),
    }


def _custom(identity: str, text: str) -> Attribute:
    return Attribute(Field.CUSTOM_FIELD, _entity(Kind.CUSTOM_FIELD, identity, text))


def _changes(text: str) -> tuple[FieldChange, ...]:
    line = text.replace("\n", " ")
    option = _entity(Kind.OPTION, "01OPTION", text)
    return (
        FieldChange(plans.NAME, f"{line}?", f"{line}!", Origin.DRIFT),
        FieldChange(plans.SUMMARY, f"first\n{text} old\nlast", f"first\n{text} new\nlast"),
        FieldChange(_custom("01SELECT", text), (option,), (replace(option, id="01OTHER"),)),
        FieldChange(_custom("01LINK", text), Link(line), None),
        FieldChange(Attribute(Field.ROLE, _entity(Kind.ROLE, "01ROLE", text)), None, _user(text)),
        FieldChange(
            Attribute(Field.TIMELINE, "moved"),
            TimelineItem(plans.BEGAN, text),
            TimelineItem(plans.ENDED, f"{text}!"),
        ),
    )


def _blocked(text: str) -> tuple[FieldChange, ...]:
    return (FieldChange(Attribute(Field.INCIDENT_TYPE), f"{text} old", f"{text} new"),)


def _diagnostic(severity: Severity, text: str) -> Diagnostic:
    place = Location(f"legacy/{text[:_SMALL_PLACES]}.csv", 88, 4)
    return Diagnostic(severity, "unknown-severity", text, text, text, (place, place), 212)
