#!/usr/bin/env bash
# A file -> one comment of a pull request. The first two lines of the file name the comment: where there is one
# that begins with them, it is written anew.
# shellcheck disable=SC2016  # the variables are jq's
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

comments="/repos/$GITHUB_REPOSITORY/issues/$NUMBER/comments"
mark=$(head -n 2 "$FILE")
# Anybody may copy the mark into a comment of their own, and would own ours then.
ours='first(.[] | select(.user.login == "github-actions[bot]")
    | select(.body // "" | gsub("\r"; "") | startswith($mark)) | .id) // empty'

for ((page = 1; ; page++)); do
    found=$(github GET "$comments?per_page=100&page=$page")
    id=$(jq -r --arg mark "$mark" "$ours" <<<"$found")
    [[ -z $id && $(jq length <<<"$found") == 100 ]] || break
done

jq -Rs '{body: .}' "$FILE" >"$OUT/comment.json"
if [[ -n $id ]]; then
    github PATCH "/repos/$GITHUB_REPOSITORY/issues/comments/$id" "$OUT/comment.json" >/dev/null
else
    github POST "$comments" "$OUT/comment.json" >/dev/null
fi
