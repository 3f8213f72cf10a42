"""What GitHub, GitLab and SARIF readers are told of problems, beside the line of each."""

import json
import re
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from importer import __version__
from importer.model import Diagnostic, Location, Severity
from importer.renderers import annotations
from tests import plans

NOWHERE = Diagnostic(Severity.WARNING, "live-status", "the account has no closed status")
FOUND = [plans.UNKNOWN_SEVERITY, plans.INACTIVE_USER, NOWHERE]
LOCATIONS = st.builds(Location, st.text(min_size=1), st.integers(1, 9), st.none() | st.integers(1, 9))
DIAGNOSTICS = st.builds(
    Diagnostic,
    severity=st.sampled_from(Severity),
    code=st.sampled_from(["one", "two"]),
    summary=st.text(st.characters(codec=None)),
    detail=st.text(),
    hint=st.text(),
    locations=st.lists(LOCATIONS, max_size=4).map(tuple),
)
COMMAND = re.compile(r"::(error|warning) ((?:[a-z]+=[^,:\r\n]*,?)+)::([^\r\n]*)")


def test_each_format_reads_as_it_should(golden):
    golden("diagnostics/github.txt", annotations.github(FOUND, "data/"))
    golden("diagnostics/gitlab.json", annotations.gitlab(FOUND, "data/"))
    golden("diagnostics/sarif.json", annotations.sarif(FOUND, "data/").replace(__version__, "VERSION"))


def test_the_first_place_of_every_cause_comes_before_all_second_ones():
    several = replace(NOWHERE, locations=(Location("a.yaml", 1), Location("a.yaml", 2)))
    lines = annotations.github([several, NOWHERE], "").splitlines()
    assert [("line=2" in line) for line in lines] == [False, False, True]


@given(st.lists(DIAGNOSTICS, max_size=4))
def test_a_problem_is_one_command_a_place_whatever_its_words_are(found):
    lines = annotations.github(found, "").split("\n")
    assert lines.pop() == ""
    assert all(COMMAND.fullmatch(line) for line in lines)
    assert len(lines) == sum(len(each.locations) or 1 for each in found)


@given(st.lists(DIAGNOSTICS, max_size=4))
def test_no_two_findings_have_one_fingerprint(found):
    report = json.loads(annotations.gitlab(found + found, ""))
    prints = [each["fingerprint"] for each in report]
    assert len(set(prints)) == len(prints) == 2 * sum(len(each.locations) or 1 for each in found)


@given(st.lists(DIAGNOSTICS, max_size=4))
def test_each_result_names_a_rule_and_a_place_that_is_a_uri(found):
    (run,) = json.loads(annotations.sarif(found, "data/"))["runs"]
    rules = {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    for result in run["results"]:
        assert result["ruleId"] in rules
        for place in result.get("locations", []):
            uri = place["physicalLocation"]["artifactLocation"]["uri"]
            assert uri.startswith("data/")
            assert re.fullmatch(r"[!-~]+", uri)
            assert place["physicalLocation"]["region"]["startLine"] >= 1
