"""Templates: an untrusted mapping can only read a record, within a budget."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from importer.mapping.templates import InvalidTemplate, NoSuchName, Templates, identifier, nearest

RECORD = {"row": {"Issue key": "A-1", "List": [1, 2]}, "Summary": "down", "n": 3, "none": None}


def render(text: str, *, strict: bool = True) -> str:
    return Templates(strict, {"slug": lambda value: f"<{value}>"}).compiled(text).render(RECORD)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{ Summary }}, {{ row['Issue key'] }}", "down, A-1"),
        ("{{ Summary | upper | slug }}", "<DOWN>"),
        (
            "{% for x in row.List %}{{ loop.index }}{{ x }}{% if not loop.last %},{% endif %}{% endfor %}",
            "11,22",
        ),
        ("{{ row.List | join('-') }}", "1-2"),
        ("{{ Summary.replace('o', '0') ~ (1 + 1) }}", "d0wn2"),
        ("{{ ', '.join(['a', 'b']) }}{{ n * 2 + 2 ** 3 + 7 % 4 }}", "a, b17"),
        ("{% set x = 'a' * 3 %}{{ x | replace('a', 'b') }}{{ none }}", "bbb"),
        ("{% for x in range(3) %}{{ x }}{% endfor %}", "012"),
        ("{{ row.get('Nope', 'else') }}{{ Nope | default('x') }}", "elsex"),
    ],
)
def test_a_template_reads_a_record(text: str, expected: str) -> None:
    assert render(text) == expected


@pytest.mark.parametrize(
    ("text", "name"), [("{{ Sumary }}", "Sumary"), ("{{ row['Isue'] }}", "Isue"), ("{{ n.x.y }}", "x")]
)
def test_a_name_that_is_not_a_column_is_an_error(text: str, name: str) -> None:
    with pytest.raises(NoSuchName) as caught:
        render(text)
    assert caught.value.name == name


def test_a_missing_key_of_an_object_is_empty() -> None:
    assert render("[{{ nope.deeper }}{% for x in nope %}{{ x }}{% endfor %}]", strict=False) == "[]"


@pytest.mark.parametrize(
    "text",
    [
        "{{ ''.__class__ }}",
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ range.__globals__ }}",
        "{{ row.__init__.__globals__ }}",
        "{{ row.items.__self__ }}",
        "{{ (row|list).append(1) }}",
        "{{ row.update({}) }}",
        "{{ row.clear() }}",
        "{{ Summary | attr('__class__') }}",
        "{{ Summary.format(1) }}",
        "{{ cycler }}{{ cycler.__init__ }}",
        "{{ self.__init__ }}",
        "{{ [row] | map(attribute='__class__') | join }}",
        "{% include 'x' %}",
        "{% import 'x' as y %}",
        "{% macro m() %}{% endmacro %}",
        "{% extends 'x' %}",
        "{% set x %}{{ n }}{% endset %}",
        "{% filter upper %}a{% endfilter %}",
        "{% for x in row recursive %}{% endfor %}",
        "{{ row }}",
        "{{ row.List }}",
        "{{ row.List ~ 'x' }}",
        "{{ 1 / 0 }}",
        "{{ n.x() }}",
        "{{ 'a' + 1 }}",
        "{{",
        "{{ n | nope }}",
        "{{ " + "(" * 2000 + "1" + ")" * 2000 + " }}",
        "x" * 60_000,
    ],
)
def test_unsafe_templates_are_refused(text: str) -> None:
    with pytest.raises((InvalidTemplate, NoSuchName)):
        render(text)


@pytest.mark.parametrize(
    "text",
    [
        "{% for a in range(10000) %}{% for b in range(10000) %}{% endfor %}{% endfor %}",
        "{% for a in range(10001) %}{% endfor %}",
        "{% set a = 'aaaaaaaaaa' %}" + "{% set a = a ~ a %}" * 60 + "{{ a | length }}",
        "{% set a = 'aaaaaaaaaa' %}" + "{% set a = a + a %}" * 60 + "{{ a | length }}",
        "{% set a = ['a'] %}" + "{% set a = a + a %}" * 60 + "{{ a | length }}",
        "{{ 'a' * 1000000000 }}",
        "{{ 1000000000 * 'a' }}",
        "{{ 10 ** 10 ** 10 }}",
        "{{ '%999999999d' % 1 }}",
        "{{ ('a' * 1000000).replace('a', 'a' * 1000000) }}",
        "{{ ('a' * 1000000) | replace('a', 'a' * 1000000) }}",
        "{{ ('a' * 1000000).join(('b' * 100).split('') if false else ['x'] * 1000) }}",
        "{{ (['a' * 1000000] * 1000) | join }}",
        "{{ [[1] * 1000] * 1000000 }}",
        "{% for x in 'ab' * 1000000 %}{% endfor %}",
        "{{ 'a'.ljust(1000000000) }}",
        "{{ '{:>1000000000}'.format(1) }}",
        "{{ '{0:>{1}}'.format_map({'0': 1, '1': 1000000000}) }}",
        "{{ 'a' | center(1000000000) }}",
    ],
)
def test_a_template_that_would_run_too_long_is_stopped(text: str) -> None:
    with pytest.raises(InvalidTemplate):
        render(text)


@settings(max_examples=200, deadline=None)
@given(st.text("{}%'\"|. ~*+()[]abrowin0123_if", max_size=30))
def test_any_other_template_is_rendered_or_refused(text: str) -> None:
    with contextlib.suppress(InvalidTemplate, NoSuchName):
        render(text)


def test_headers_become_variable_names() -> None:
    assert [identifier(each) for each in ("Issue Type", "Custom field (X)", "2nd line", "Größe")] == [
        "Issue_Type",
        "Custom_field_X",
        "_2nd_line",
        "Größe",
    ]


def test_the_nearest_name_is_suggested() -> None:
    assert nearest("priorty", ["Priority", "Key"]) == "did you mean `Priority`?"
    assert nearest("zzz", ["Priority", "Key"]) == "known names are Priority, Key"
    assert nearest("zzz", [f"column {number}" for number in range(40)]).endswith(", ...")
