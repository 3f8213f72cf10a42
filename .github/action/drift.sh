#!/usr/bin/env bash
# The account -> a report of what was edited in incident.io, and exit code 2 where something was.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# Without a state nobody can tell an edit from a change of the files: then every difference counts.
question=(--drift-only)
[[ -f $STATE ]] || question=(--detailed-exitcode)

code=0
"$IMPORTER" plan --state "$STATE" "${question[@]}" --max-wait 600 --format markdown --max-bytes "${MAX_BYTES:-60000}" \
    >"$OUT/drift.md" 2>"$OUT/words" || code=$?
show_log "$OUT/words"
{
    printf '<!-- importer drift -->\n<!-- %s -->\n\n' "$NAME"
    [[ -f $STATE ]] || printf 'There is no state file, so changes that are not applied yet count as well.\n\n'
    if [[ -s $OUT/drift.md ]]; then
        tail -n +2 "$OUT/drift.md"
    else
        printf '**Planning failed.**\n\n'
        as_block "$OUT/words"
    fi
    printf '\n%s looked.\n' "$(this_run)"
} >"$OUT/report.md"
cat "$OUT/report.md" >>"$GITHUB_STEP_SUMMARY"
output report "$OUT/report.md"
output code "$code"
exit "$code"
