#!/usr/bin/env bash
# Format, sizes, layers, documents and links. Every check runs; the status is non-zero when one complains.
set -uo pipefail
cd "$(dirname "$0")/.."
status=0

scripts/format.sh --check || status=1
python3 scripts/check_size.py --stats || status=1
python3 scripts/check_layers.py || status=1
python3 scripts/check_docs.py || status=1
python3 scripts/check_links.py || status=1
python3 scripts/api_reference.py --check || status=1
for script in $(git ls-files -co --exclude-standard '*.sh' .ci/run); do
  bash -n "$script" || status=1
done
exit $status
