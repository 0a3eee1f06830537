#!/usr/bin/env bash
# clang-tidy with the list of .clang-tidy: tidy.sh BUILD-FOLDER [FILE...]
set -euo pipefail
cd "$(dirname "$0")/.."
build=$1
shift
tidy=$(command -v clang-tidy-14 || command -v clang-tidy) || { echo "there is no clang-tidy" >&2; exit 1; }
[ $# -gt 0 ] || set -- $(git ls-files 'src/*.cc')
printf '%s\0' "$@" | xargs -0 -n 1 -P "$(getconf _NPROCESSORS_ONLN)" "$tidy" -p "$build" --quiet --extra-arg=-Wno-unknown-warning-option --warnings-as-errors='*' 2>/dev/null
