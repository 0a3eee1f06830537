#!/usr/bin/env bash
# Makes the documents' site in the given folder, with every link checked. 77: there is no mkdocs (scripts/setup.sh test installs it).
set -euo pipefail
mkdir -p "$1"
site=$(cd "$1" && pwd)
cd "$(dirname "$0")/.."
.venv/bin/python -c 'import mkdocs' 2>/dev/null || { echo "skipped: no mkdocs in .venv; run scripts/setup.sh test"; exit 77; }
# Not --quiet: it hides warnings from --strict as well.
exec .venv/bin/python -m mkdocs build --strict --site-dir "$site"
