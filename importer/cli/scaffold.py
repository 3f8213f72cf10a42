"""Nothing -> the files of a folder whose incidents are planned on a pull request and applied on a merge."""

from __future__ import annotations

from importer import __version__
from importer.formats.yaml_writer import MODELINE

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
  # state file can be lost without loss, in CI too.
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
# A pull request shows in a comment what it would do. Its merge does that, and nothing else. Each night a job
# looks for edits that were made in incident.io.
#
# Write for OWNER who keeps importer on GitHub. Two keys, from incident.io, Settings > API keys:
# - INCIDENT_READ_KEY, a secret of the repository: viewer, and global_access if there are private incidents.
# - INCIDENT_API_KEY, a secret of the environment incident-io alone, which only main may use: one that may
#   create and edit incidents too.
# Saved plans, logs and the state hold what incidents say, private ones too: keep the repository private.
name: incidents

on:
  pull_request:
  push:
    branches: [main]
  schedule:
    - cron: "17 3 * * *"
  workflow_dispatch:

permissions: {}

jobs:
  plan:
    if: github.event_name == 'pull_request'
    runs-on: ubuntu-latest
    permissions: {contents: read, pull-requests: write}
    concurrency: {group: "incidents-plan-${{ github.ref }}", cancel-in-progress: true}
    steps:
      - uses: actions/checkout@v4
        with: {persist-credentials: false}
      - uses: OWNER/importer@vVERSION
        with:
          mode: plan
          api-key: ${{ secrets.INCIDENT_READ_KEY }}

  apply:
    if: github.ref == 'refs/heads/main' && github.event_name != 'schedule'
    runs-on: ubuntu-latest
    environment: incident-io
    permissions: {contents: read, actions: read, pull-requests: write}
    concurrency: {group: incidents-apply, cancel-in-progress: false}
    steps:
      - uses: actions/checkout@v4
        with: {persist-credentials: false}
      - uses: OWNER/importer@vVERSION
        with:
          mode: apply
          api-key: ${{ secrets.INCIDENT_API_KEY }}
          # Somebody who starts the workflow by hand applies what main says, though no pull request showed it.
          unreviewed: ${{ github.event_name == 'workflow_dispatch' && 'apply' || 'refuse' }}

  drift:
    if: github.event_name == 'schedule'
    runs-on: ubuntu-latest
    permissions: {contents: read, issues: write}
    steps:
      - uses: actions/checkout@v4
        with: {persist-credentials: false}
      - uses: OWNER/importer@vVERSION
        with:
          mode: drift
          api-key: ${{ secrets.INCIDENT_READ_KEY }}
          issue: true
"""


def files() -> dict[str, str]:
    """Return the text of each file by its path in the folder."""
    names = {"modeline": MODELINE}
    return {
        "importer.yaml": _CONFIGURATION.format_map(names),
        "incidents/example.yaml": _EXAMPLE.format_map(names),
        ".gitignore": _IGNORED,
        ".github/workflows/importer.yml": _WORKFLOW.replace("VERSION", __version__),
    }
