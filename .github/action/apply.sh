#!/usr/bin/env bash
# The files of this commit -> what became of them. A plan is made now, and applied if the plan that was reviewed has
# each of its changes.
#   REVIEWED     the saved plan of the pull request; no such file: there is none
#   UNREVIEWED   refuse, or apply: carry out what the files say now, whoever saw it
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# Show the text on stdin as the result of this run, in the summary and to whoever writes it into a comment.
result() {
    {
        printf '<!-- importer apply -->\n<!-- %s -->\n\n' "$NAME"
        cat
        printf '\n%s was for commit %s.\n' "$(this_run)" "${GITHUB_SHA-}"
    } >"$OUT/result.md"
    cat "$OUT/result.md" >>"$GITHUB_STEP_SUMMARY"
    output result "$OUT/result.md"
}

# refuse WHY [FILE]: end without having sent anything; the file has the differences.
refuse() {
    {
        printf '**Not applied: %s.** Nothing was sent.\n\n' "$1"
        [[ -z ${2-} ]] || as_block "$2"
        printf '\nThe next pull request shows what is left. Or run the workflow by hand to apply it.\n'
    } | result
    echo "::error title=importer::not applied: $1"
    exit 4
}

fail_planning() {
    { printf '**Not applied: planning failed.** Nothing was sent.\n\n' && as_block "$OUT/words"; } | result
    exit "$code"
}

# Print how many changes there were to make, or nothing if the run did not get so far.
changes() {
    jq 'select(.type == "apply_summary") | .created + .updated + .adopted + .failed + .unknown + .not_attempted' "$OUT/events"
}

# Print the outcome: the counts, and the keys of what failed. The words of incidents are in no log.
outcome() {
    jq -r 'select(.type == "apply_summary") | "**Applied: \(."@message").**\n"' "$OUT/events"
    jq -r 'select(.type == "apply_errored") | "\(.key): \(.outcome) \(.code // "") \(.request_id // "")"' \
        "$OUT/events" >"$OUT/failures"
    as_block "$OUT/failures"
    jq -r 'select(.type == "plan_reviewed") | .gone | .[:20][], (if length > 20 then "and \(length - 20) more" else empty end)' \
        "$OUT/events" >"$OUT/gone"
    [[ ! -s $OUT/gone ]] || printf '\nReviewed, but not in the new plan:\n\n%s\n' "$(as_block "$OUT/gone")"
    ((code == 0)) || printf '\nExit code %s. Run the job again: it goes on where it ended. Blocked changes (`!`) stay until a plan has none.\n' "$code"
}

code=0
approval=(--reviewed "${REVIEWED-}")
[[ ${UNREVIEWED:-refuse} != apply ]] || approval=(--auto-approve)

if [[ ${approval[0]} == --reviewed && ! -f ${REVIEWED-} ]]; then
    GITHUB_OUTPUT='' "$IMPORTER" plan --state "$STATE" --json --max-wait 600 >"$OUT/now.json" 2>"$OUT/words" || code=$?
    show_log "$OUT/words"
    ((code == 0)) || fail_planning
    [[ $(jq .applyable "$OUT/now.json") == false ]] || refuse 'no reviewed plan was found'
    echo 'Nothing to apply.' | result
    exit
fi

"$IMPORTER" apply "${approval[@]}" --state "$STATE" --json >"$OUT/events" 2>"$OUT/words" || code=$?
show_log "$OUT/words"
jq -r 'select(.type == "diagnostic" and .code == "not-reviewed") | .summary, (.detail | select(. != "")
    | split("\n")[] | "    " + .)' "$OUT/events" >"$OUT/differences"
if [[ -s $OUT/differences ]]; then
    refuse 'the new plan does not match the reviewed one' "$OUT/differences"
elif [[ $(changes) == 0 ]]; then
    code=0 # what is blocked is in every plan, and fails no merge
    echo 'Nothing to apply.' | result
elif [[ -n $(changes) ]]; then
    outcome | result
elif ((code == 1)); then
    fail_planning
else
    { printf '**Not applied.** Nothing was sent.\n\n' && as_block "$OUT/words"; } | result
fi
exit "$code"
