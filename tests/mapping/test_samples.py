"""Real exports, if available: each is read completely by a preset or a mapping of a few lines.

Without them: each preset reads a small export of our own in test_presets.py, where a list and the table of
ServiceNow name the same instants too; post-mortems without a preset are read in tests/test_examples.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from importer.model import Incident, Severity
from importer.model.settings import MappedSource, Settings
from importer.sources import Loaded, load

SAMPLES = Path(__file__).parents[3] / "shared" / "legacy" / "samples"

pytestmark = pytest.mark.skipif(not SAMPLES.is_dir(), reason="the samples are not beside the repository")


@dataclass(frozen=True)
class Sample:
    """The path of a sample, the number of its incidents, and the mapping that reads them."""

    path: str
    incidents: int
    mapping: str
    warnings: frozenset[str] = frozenset()


SERVICENOW_LIST = Sample(
    "servicenow-list-csv/incident.csv",
    66,
    """\
extends: servicenow
timezone: America/Los_Angeles
fields:
  severity: {values: {1 - Critical: Critical, 2 - High: Major, "*": Minor}}
""",
)
SERVICENOW_TABLE = Sample(
    "servicenow-table-api-csv/incidents.csv",
    67,
    """\
extends: servicenow-table
encoding: windows-1252
fields:
  severity: {values: {"1": Critical, "2": Major, "*": Minor}}
""",
    frozenset({"encoding"}),
)
STATUSPAGE = Sample(
    "github-statuspage/incidents.json",
    1282,
    """\
extends: statuspage
fields:
  severity: {values: {none: Minor, minor: Minor, major: Major, critical: Critical}}
""",
    frozenset({"resolved-before-started"}),
)
CSTATE = Sample(
    "cstate-jenkins/content/issues",
    297,
    """\
extends: cstate
timezone: UTC
fields:
  severity: {values: {notice: Minor, disrupted: Major, down: Critical}}
""",
    frozenset({"resolved-before-started"}),
)
POSTMORTEMS = Sample(
    "icco-postmortems/data",
    242,
    """\
format: markdown
defaults: {severity: Minor}
fields:
  key: uuid
  name: {template: "{{ title or (company ~ ' ' ~ file.stem) }}"}
  summary: {path: summary, optional: true}
  # A ship that sank before the earliest year of a timestamp.
  timestamps.Impact started at: {path: start_time, values: {"1628-08-10T12:00:00Z": null}, optional: true}
  timestamps.Resolved at: {path: end_time, values: {"1628-08-10T12:20:00Z": null}, optional: true}
  postmortem.title: {template: "{{ title or company }}"}
  postmortem.content: body
""",
)
JIRA_SERVER = Sample(
    "jira-asf-csv",
    524,
    """\
extends: jira
timezone: UTC
keep: merge
defaults: {severity: Minor}
fields:
  name: {template: "{{ Issue_key }} {{ Description.strip().split('\\n')[0] | truncate(120) }}"}
  timestamps.Reported at: {column: Created, optional: true}
""",
)
JIRA_CLOUD = Sample(
    "jira-cloud-csv/jira.csv",
    2,
    """\
extends: jira
timezone: America/Sao_Paulo
fields:
  severity: {values: {High: Major, Medium: Minor}}
""",
)
OPSGENIE = Sample(
    "opsgenie-rest-json",
    2,
    """\
extends: opsgenie
fields:
  severity: {values: {P3: Minor}}
""",
)
PAGERDUTY = Sample(
    "pagerduty-rest-csv/incidents.csv",
    3,
    """\
extends: pagerduty
fields:
  severity: {values: {high: Major, low: Minor}}
""",
)
EVERY = (
    SERVICENOW_LIST,
    SERVICENOW_TABLE,
    STATUSPAGE,
    CSTATE,
    POSTMORTEMS,
    JIRA_SERVER,
    JIRA_CLOUD,
    OPSGENIE,
    PAGERDUTY,
)


def loaded(sample: Sample, folder: Path) -> Loaded:
    mapping = folder / "own.yaml"
    mapping.write_text(f"version: 1\n{sample.mapping}", encoding="utf-8")
    source = MappedSource(str(SAMPLES / sample.path), mapping=str(mapping))
    return load(Settings(root=folder, sources=(source,)), ())


def reported(incident: Incident) -> object:
    attributes = {attribute.label: value for attribute, value in incident.attributes.items()}
    return attributes.get("timestamps.Reported at")


@pytest.mark.parametrize("sample", EVERY, ids=lambda each: each.path.partition("/")[0])
def test_a_real_export_is_read_completely(sample: Sample, tmp_path: Path) -> None:
    found = loaded(sample, tmp_path)
    assert [each for each in found.diagnostics if each.severity is Severity.ERROR] == []
    assert {each.code for each in found.diagnostics} <= sample.warnings
    assert len(found.incidents) == sample.incidents


@pytest.mark.parametrize("key", ["INC0000060", "INC0007001"])
def test_the_list_and_the_table_agree_on_the_instants(key: str, tmp_path: Path) -> None:
    instants = {
        reported(each)
        for sample in (SERVICENOW_LIST, SERVICENOW_TABLE)
        for each in loaded(sample, tmp_path).incidents
        if each.key == key
    }
    assert len(instants) == 1
    assert None not in instants
