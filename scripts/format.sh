#!/usr/bin/env bash
# clang-format over all sources: format.sh [--check]. With --check nothing is changed, files to be formatted are named.
set -euo pipefail
cd "$(dirname "$0")/.."

# Versions differ in their opinion; this one counts.
formatter=$(command -v clang-format-14 || true)
[ -z "$formatter" ] && clang-format --version 2>/dev/null | grep -q 'version 14\.' && formatter=clang-format
if [ -z "$formatter" ]; then
  echo "format: skipped, there is no clang-format 14"
  exit 0
fi

sources() { git ls-files -z -co --exclude-standard '*.cc' '*.h' | xargs -0 ls -d 2>/dev/null | tr '\n' '\0'; }
if [ "${1:-}" != --check ]; then
  sources | xargs -0 "$formatter" -i
  exit 0
fi
bad=$(sources | xargs -0 "$formatter" --dry-run 2>&1 | sed -n 's/^\([^: ]*\):[0-9]*:.*code should be clang-formatted.*/  \1/p' | sort -u)
[ -z "$bad" ] || echo "$bad"
echo "format: $(grep -c . <<<"$bad" || true) complaints${bad:+; make format mends them}"
[ -z "$bad" ]
