#!/usr/bin/env bash
# A report of drift -> one open issue while there is any, and none where there is not.
# shellcheck disable=SC2016  # the variables are jq's
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

issues="/repos/$GITHUB_REPOSITORY/issues"
mark=$(head -n 2 "$FILE")
ours='first(.[] | select(.body // "" | gsub("\r"; "") | startswith($mark)) | .number) // empty'

found=$(github GET "$issues?state=open&per_page=100&creator=github-actions%5Bbot%5D")
number=$(jq -r --arg mark "$mark" "$ours" <<<"$found")
if [[ $CODE == 0 ]]; then
    echo '{"state": "closed"}' >"$OUT/issue.json"
    [[ -z $number ]] || github PATCH "$issues/$number" "$OUT/issue.json" >/dev/null
    exit
fi
jq -Rs '{title: "Incidents differ from their files", body: .}' "$FILE" >"$OUT/issue.json"
if [[ -n $number ]]; then
    github PATCH "$issues/$number" "$OUT/issue.json" >/dev/null
else
    github POST "$issues" "$OUT/issue.json" >/dev/null
fi
