"""How long 100,000 rows of 12 columns take through a mapping. Run with --benchmark-only."""

from __future__ import annotations

import csv
from pathlib import Path

from pytest_benchmark.fixture import BenchmarkFixture

from importer.model.settings import MappedSource, Settings
from importer.sources import load

COUNT = 100_000
HEADER = (
    "Issue key,Summary,Priority,Status,Created,Started,Resolved,Component/s,Component/s,Assignee,Customers,"
    "Description"
)
MAPPING = """
format: csv
timezone: America/New_York
datetime_formats: ["%d/%b/%y %I:%M %p"]
fields:
  key: Issue key
  name: Summary
  severity: {column: Priority, values: {Highest: Critical, High: Major, "*": Minor}}
  status: {column: Status, values: {Done: Closed}}
  timestamps.Reported at: Created
  timestamps.Impact started at: Started
  timestamps.Resolved at: Resolved
  custom_fields.Affected teams: Component/s
  custom_fields.Customers affected: Customers
  roles.Incident Lead: Assignee
  summary: {template: "{{ row['Description'] }}, from {{ Issue_key }}"}
"""


def test_mapping_a_hundred_thousand_rows(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    (tmp_path / "m.yaml").write_text(MAPPING)
    with (tmp_path / "a.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER.split(","))
        for n in range(COUNT):
            started = f"09/Jan/24 {n % 12 + 1}:{n % 60:02} PM"
            cells = [
                "High",
                "Done",
                "09/Jan/24 3:54 PM",
                started,
                "10/Jan/24 11:02 AM",
                "API",
                "Web" * (n % 2),
            ]
            writer.writerow([f"OPS-{n}", f"Name {n}", *cells, "lisa@example.com", n, f"It broke.\n{n}"])
    settings = Settings(root=tmp_path, sources=(MappedSource("a.csv", "m.yaml"),))
    loaded = benchmark.pedantic(load, (settings,), rounds=1)
    assert (len(loaded.incidents), loaded.diagnostics) == (COUNT, ())
