"""How long 10,000 incidents of 24 lines take from file to value. Run with --benchmark-only."""

from __future__ import annotations

from pathlib import Path

from pytest_benchmark.fixture import BenchmarkFixture

from importer.model.settings import Settings
from importer.sources import load

COUNT = 10_000
INCIDENT = """\
- key: JIRA-{n}
  external_id: {n}
  name: Payments API returned 500s ({n})
  summary: |
    The payments API returned errors.
    A second line.
  severity: Major
  status: Closed
  incident_type: Production
  timestamps:
    Impact started at: 2023-04-12T09:14:00Z
    Identified at: 2023-04-12T09:30:00Z
    Resolved at: 2023-04-12T11:02:00+01:00
  roles:
    Incident Lead: lisa@example.com
    Reporter: {{slack_user_id: U02AYNF2XJM}}
  custom_fields:
    Affected teams: [Payments, Platform]
    Customers affected: 1200
    Root cause: Capacity
  follow_ups:
    - title: Add an alert
      status: completed
  call_url: https://example.com/call/{n}
"""


def test_loading_ten_thousand_incidents(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("".join(INCIDENT.format(n=n) for n in range(1, COUNT + 1)))
    loaded = benchmark.pedantic(load, (Settings(root=tmp_path),), rounds=5, warmup_rounds=1)
    assert len(loaded.incidents) == COUNT
    assert loaded.diagnostics == ()


def test_loading_a_wide_table(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    rows = "".join(f"A-{n},Name {n},Minor,2023-04-12T09:14:00Z,x;y\n" for n in range(COUNT))
    (tmp_path / "a.csv").write_text(f"key,name,severity,timestamps.Resolved at,custom_fields.Teams\n{rows}")
    loaded = benchmark.pedantic(load, (Settings(root=tmp_path),), rounds=5, warmup_rounds=1)
    assert (len(loaded.incidents), loaded.diagnostics) == (COUNT, ())
