# shellcheck shell=bash
# What the scripts of the action share: where things lie, words for a person, and GitHub's API.
#
# Each script takes all it needs from the environment, so that it runs anywhere:
#   IMPORTER   the program                     STATE   its state file
#   OUT        a folder for what is written    NAME    what tells two uses of the action in a repository apart
# and the GITHUB_* variables that GitHub sets. Text of others never becomes part of a command.

: "${IMPORTER:=importer}" "${STATE:=.importer/state.db}" "${OUT:=${RUNNER_TEMP:-/tmp}/importer}" "${NAME:=importer}"
: "${GITHUB_OUTPUT:=/dev/null}" "${GITHUB_STEP_SUMMARY:=/dev/null}" "${GITHUB_SERVER_URL:=https://github.com}"
mkdir -p "$OUT"

# Say an error where GitHub shows it, and end.
fail() {
    local words=$1
    words=${words//'%'/%25} words=${words//$'\r'/%0D} words=${words//$'\n'/%0A}
    echo "::error title=importer::$words"
    exit 1
}

# Set an output of this step, of one line.
output() {
    printf '%s=%s\n' "$1" "$2" >>"$GITHUB_OUTPUT"
}

# Print a file into the log, where a line of it could be taken for a command to the runner.
show_log() {
    local token
    token=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
    printf '::stop-commands::%s\n' "$token"
    cat -- "$1"
    printf '\n::%s::\n' "$token"
}

# Print a file as a block of Markdown that nothing in it can end: each line is indented, and CR is no line's end.
as_block() {
    head -c 20000 -- "$1" | tr -d '\r' | sed 's/^/    /'
}

# Print a link to this run, as the first words of a sentence.
this_run() {
    printf '[This run](%s/%s/actions/runs/%s)' "$GITHUB_SERVER_URL" "${GITHUB_REPOSITORY-}" "${GITHUB_RUN_ID-}"
}

# Print what GitHub says of why this run began.
event() {
    jq -r "$1 // empty" "${GITHUB_EVENT_PATH:-/dev/null}"
}

# github METHOD PATH [FILE]: send a request, with the JSON of a file, and print the answer.
github() {
    local method=$1 path=$2 answer
    local -a words=(--silent --show-error --fail-with-body --max-time 60 --request "$method")
    [[ $method == POST ]] || words+=(--retry 3)
    [[ -z ${3-} ]] || words+=(--data-binary "@$3" --header 'Content-Type: application/json')
    if ! answer=$(curl "${words[@]}" --header 'Accept: application/vnd.github+json' \
        --header @<(printf 'Authorization: Bearer %s\n' "$GITHUB_TOKEN") \
        "${GITHUB_API_URL:-https://api.github.com}$path"); then
        fail "GitHub refused $method ${path%%\?*}: $(jq -r '.message? // empty' <<<"$answer" 2>/dev/null || true)
the job's permissions are in docs/gitops.md" >&2
    fi
    printf '%s\n' "$answer"
}
