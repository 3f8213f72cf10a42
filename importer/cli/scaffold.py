"""Nothing -> the files of a folder whose incidents are planned on a pull request and applied on a merge."""

from __future__ import annotations

from importer import __version__
from importer.yaml_writer import MODELINE

_CONFIGURATION = """\
{modeline}.config.schema.json
version: 1

sources:
  - incidents/**/*.yaml
  # - {{path: legacy/jira.csv, preset: jira}}          # an export of another tracker, read as it is

# What an incident has that does not say otherwise.
# defaults:
#   timezone: Europe/London           # of times without an offset
#   severity: Minor

identity:
  namespace: default                  # never change it once something is applied: keys depend on it
  # A text custom field that carries the key. Create it in incident.io before the first plan: with it the
  # state file can be lost without loss, and CI keeps none.
  marker_field: Legacy ID

# Words of the files that the account has other names for.
# aliases:
#   severity: {{P1: Critical, P2: Major}}
#   users: {{gone@example.com: null}}

# More than this in one run is refused.
safety:
  max_creates: 1000
  max_updates: 100
"""

_EXAMPLE = """\
{modeline}.incident.schema.json
# Replace this incident before the first apply: incident.io cannot delete one.
incidents:
  - key: EXAMPLE-1                    # the source's own identifier: what makes it one incident, for ever
    name: Payments API returned errors
    summary: |-
      A deploy opened a connection for every request.

      It was rolled back.
    severity: Minor                   # a name of your account
    timestamps:
      Impact started at: 2023-04-12T09:14:00Z
      Resolved at: 2023-04-12T11:02:00Z
"""

_IGNORED = """\
# The state file is binary, and holds what private incidents say.
.importer/
# Saved plans hold it too.
/plan*.json
"""

_WORKFLOW = """\
# A pull request shows the plan in its log; a merge to main applies what is on main then.
# Secrets: INCIDENT_READ_KEY (a viewer is enough) and INCIDENT_API_KEY (may create and edit incidents).
name: incidents

on:
  pull_request:
  push:
    branches: [main]

permissions:
  contents: read

jobs:
  plan:
    if: github.event_name == 'pull_request'
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-python@v5
        with: {{python-version: "3.12"}}
      - run: pip install incident-importer=={version}
      - run: importer validate
      - run: importer plan
        env:
          INCIDENT_API_KEY: ${{{{ secrets.INCIDENT_READ_KEY }}}}

  apply:
    if: github.event_name == 'push'
    runs-on: ubuntu-latest
    concurrency: {{group: incidents-apply, cancel-in-progress: false}}
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-python@v5
        with: {{python-version: "3.12"}}
      - run: pip install incident-importer=={version}
      - run: importer check
        env:
          INCIDENT_API_KEY: ${{{{ secrets.INCIDENT_API_KEY }}}}
      - run: importer apply --auto-approve
        env:
          INCIDENT_API_KEY: ${{{{ secrets.INCIDENT_API_KEY }}}}
"""


def files() -> dict[str, str]:
    """Return the text of each file by its path in the folder."""
    told = {"modeline": MODELINE, "version": __version__}
    return {
        "importer.yaml": _CONFIGURATION.format_map(told),
        "incidents/example.yaml": _EXAMPLE.format_map(told),
        ".gitignore": _IGNORED,
        ".github/workflows/incidents.yml": _WORKFLOW.format_map(told),
    }
