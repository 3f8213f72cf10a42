#!/usr/bin/env bash
# The commit of a merge -> the pull request that it merged, and the run that holds the plan which was reviewed there.
# shellcheck disable=SC2016  # the variables are jq's
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

merged='first(.[] | select(.merged_at and .merge_commit_sha == $commit)) // empty | "\(.number) \(.head.sha)"'
# A run of a fork can give an artifact any name; its commit and its repository are GitHub's own words.
kept='[.artifacts[] | select(.expired | not) | select(.workflow_run | .head_sha == $head
    and .head_repository_id == .repository_id)] | max_by(.created_at) // empty | .workflow_run.id'

found=$(github GET "/repos/$GITHUB_REPOSITORY/commits/$GITHUB_SHA/pulls?per_page=100")
read -r number head <<<"$(jq -r --arg commit "$GITHUB_SHA" "$merged" <<<"$found")" || true
if [[ -z ${number-} ]]; then
    echo "Commit $GITHUB_SHA merges no pull request."
    exit
fi
output number "$number"

artifact="$NAME-plan-$head"
found=$(github GET "/repos/$GITHUB_REPOSITORY/actions/artifacts?per_page=100&name=$artifact")
run=$(jq -r --arg head "$head" "$kept" <<<"$found")
if [[ -z $run ]]; then
    echo "Pull request #$number has no saved plan of commit $head: it was never planned, or its plan is too old."
    exit
fi
echo "The plan of pull request #$number is in run $run."
output artifact "$artifact"
output run_id "$run"
