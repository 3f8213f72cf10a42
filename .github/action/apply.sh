#!/usr/bin/env bash
# The plan that was reviewed -> what became of it. Only what was reviewed, word for word, and is what the files of
# this commit say is sent: a plan is made now, and the two must agree.
#   REVIEWED     the saved plan of the pull request; no such file: there is none
#   UNREVIEWED   refuse, or apply: carry out what the files say now, whoever saw it
set -euo pipefail
here=$(dirname "${BASH_SOURCE[0]}")
source "$here/common.sh"
now="$OUT/now.json"

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

# Print the keys of a list of the agreement under a title, if there are any.
keys() {
    [[ -f $OUT/agreement.json ]] || return 0
    jq -r --arg list "$1" '.[$list] | .[:20][], (if length > 20 then "and \(length - 20) more" else empty end)' \
        "$OUT/agreement.json" >"$OUT/keys"
    [[ ! -s $OUT/keys ]] || printf '%s\n\n%s\n\n' "$2" "$(as_block "$OUT/keys")"
}

refuse() {
    result <<EOF
**Not applied: $1.** Nothing was sent.

$(keys unreviewed 'To be done now, and not in the review:')

$(keys gone 'In the review, and not to be done now:')

The next pull request shows what is left. Or run the workflow by hand to apply it.
EOF
    echo "::error title=importer::not applied: $1"
    exit 4
}

# Set `chosen` to the plan to carry out, if one may be.
choose() {
    chosen=$now
    [[ ${UNREVIEWED:-refuse} != apply ]] || return 0
    [[ -f ${REVIEWED-} ]] || refuse 'there is no plan that was reviewed'
    jq -n --slurpfile reviewed "$REVIEWED" --slurpfile now "$now" -f "$here/agreement.jq" >"$OUT/agreement.json"
    if jq -e '.gone == []' "$OUT/agreement.json" >/dev/null; then
        chosen=$REVIEWED
    elif jq -e '.unreviewed != []' "$OUT/agreement.json" >/dev/null; then
        refuse 'the plan that was reviewed is stale'
    fi # else an earlier run made a part, and the plan made now is the rest
}

# Print what became of the changes: the counts, and the keys of what failed. The words of incidents are in no log.
outcome() {
    if grep -q '"apply_summary"' "$OUT/events"; then
        jq -r 'select(.type == "apply_summary") | "**Applied: \(."@message").**\n"' "$OUT/events"
    else
        printf '**Not applied.** Nothing was sent.\n\n'
        as_block "$OUT/words"
    fi
    jq -r 'select(.type == "apply_errored") | "\(.key): \(.outcome) \(.code // "") \(.request_id // "")"' \
        "$OUT/events" >"$OUT/failures"
    as_block "$OUT/failures"
    printf '\n'
    keys unreviewed 'Left, since the review did not show it; the next pull request does:'
    ((code == 0)) || printf 'Exit code %s. Run the job again: it goes on where it ended.\n' "$code"
}

rm -f -- "$OUT/agreement.json" "$now"
code=0
GITHUB_OUTPUT='' "$IMPORTER" plan --state "$STATE" --out "$now" --max-wait 600 >/dev/null 2>"$OUT/words" || code=$?
show_log "$OUT/words"
if ((code)); then
    { printf '**Not applied: planning failed.** Nothing was sent.\n\n' && as_block "$OUT/words"; } | result
    exit "$code"
fi
if [[ $(jq .applyable "$now") == false ]]; then
    echo 'Nothing to apply.' | result
    exit
fi

choose
"$IMPORTER" apply "$chosen" --state "$STATE" --json >"$OUT/events" 2>"$OUT/words" || code=$?
show_log "$OUT/words"
outcome | result
exit "$code"
