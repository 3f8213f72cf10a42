#!/usr/bin/env bash
# The action's own checkout -> an importer of the same version, in an environment that nothing else sees.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

"$PYTHON" -m venv "$OUT/environment"
"$OUT/environment/bin/pip" install --quiet --disable-pip-version-check "$GITHUB_ACTION_PATH"
output importer "$OUT/environment/bin/importer"
