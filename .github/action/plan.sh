#!/usr/bin/env bash
# The files of a pull request -> annotations, a saved plan, and a comment; or the reasons why there is no plan.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# Whether the pull request comes from where GitHub gives no secrets to.
is_from_outside() {
    [[ ${GITHUB_ACTOR-} == 'dependabot[bot]' ]] && return
    [[ -n $number && $(event .pull_request.head.repo.full_name) != "$GITHUB_REPOSITORY" ]]
}

# Print the comment: what importer says of the plan, or of why there is none, and of which commit.
comment() {
    if [[ -s $OUT/plan.md ]]; then
        head -n 1 "$OUT/plan.md"
        printf '<!-- %s -->\n' "$NAME"
        tail -n +2 "$OUT/plan.md"
    else
        printf '<!-- importer plan -->\n<!-- %s -->\n\n**Planning failed.**\n\n' "$NAME"
        as_block "$OUT/words"
    fi
    printf '\n\n%s planned commit %s. ' "$(this_run)" "$head"
    if ((code)); then
        printf 'There is nothing to apply.\n'
    else
        printf 'A merge applies these changes and no others.\n'
    fi
}

if [[ ${GITHUB_EVENT_NAME-} == pull_request_target ]]; then
    fail 'pull_request_target gives secrets to files that nobody reviewed: use pull_request'
fi
number=$(event .pull_request.number)
head=$(event .pull_request.head.sha)
head=${head:-${GITHUB_SHA:-}}

valid=0
"$IMPORTER" validate --format github 2>/dev/null || valid=$?
if [[ -z ${INCIDENT_API_KEY-} ]]; then
    is_from_outside || fail 'there is no API key: set the input api-key from a secret'
    echo 'Only validated: pull requests of forks and of Dependabot get no API key.' | tee -a "$GITHUB_STEP_SUMMARY"
    exit "$valid"
fi

rm -f -- "$OUT/plan.json" "$OUT/plan.md"
code=0
"$IMPORTER" plan --state "$STATE" --out "$OUT/plan.json" --max-wait 600 --format markdown \
    --max-bytes "${MAX_BYTES:-60000}" >"$OUT/plan.md" 2>"$OUT/words" || code=$?
show_log "$OUT/words"
[[ -s $OUT/plan.md ]] || output errored true

comment >"$OUT/comment.md"
cat "$OUT/comment.md" >>"$GITHUB_STEP_SUMMARY"
output number "$number"
output head "$head"
output comment "$OUT/comment.md"
exit "$code"
