"""TOML: plain text with lines, as from YAML."""

from __future__ import annotations

import pytest

from importer.formats import toml_file
from importer.formats.tree import Block, Malformed, Series

TEXT = """
key = 1042
rate = 1.50
open = false
at = 2023-04-12T09:14:00Z
day = 2023-04-12
clock = 09:14:00
members = [
  "a",
  "b",
]

[custom_fields]
"Affected teams" = ["x", "y"]
'It''s' = 1

[postmortem.more]
title = '''
key = "not one"
'''

[[timeline]]
title = "one"

[[timeline]]
title = "two"
""".replace("'It''s'", "'Its'")


def test_every_scalar_becomes_text() -> None:
    block = toml_file.read(TEXT)
    assert block == {
        "key": "1042",
        "rate": "1.50",
        "open": "false",
        "at": "2023-04-12T09:14:00+00:00",
        "day": "2023-04-12",
        "clock": "09:14:00",
        "members": ["a", "b"],
        "custom_fields": {"Affected teams": ["x", "y"], "Its": "1"},
        "postmortem": {"more": {"title": 'key = "not one"\n'}},
        "timeline": [{"title": "one"}, {"title": "two"}],
    }


def test_values_of_any_depth_know_their_lines() -> None:
    block = toml_file.read(TEXT)
    assert (block.line, block.lines["rate"], block.lines["members"]) == (2, 3, 8)
    custom, timeline = block["custom_fields"], block["timeline"]
    assert isinstance(custom, Block) and isinstance(timeline, Series)
    assert (block.lines["custom_fields"], custom.lines["Affected teams"], custom.lines["Its"]) == (13, 14, 15)
    assert (block.lines["timeline"], timeline.lines) == (22, [22, 25])
    second = timeline[1]
    assert isinstance(second, Block) and second.lines == {"title": 26}
    deeper = block["postmortem"]
    assert isinstance(deeper, Block) and deeper.lines == {"more": 17}


@pytest.mark.parametrize(
    ("text", "code"),
    [("a =", "syntax"), ("a = " + "[" * 5000 + "]" * 5000, "too-deep"), ("a = 1\na = 2", "syntax")],
)
def test_invalid_toml_is_refused(text: str, code: str) -> None:
    with pytest.raises(Malformed) as refused:
        toml_file.read(text)
    assert refused.value.code == code


def test_a_key_whose_line_is_unknown_has_the_line_of_its_parent() -> None:
    block = toml_file.read('\n[["a]b"]]\nx = 1\n')
    assert block == {"a]b": [{"x": "1"}]}
    assert block.lines["a]b"] in (1, 2, 3)
