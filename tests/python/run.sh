#!/usr/bin/env bash
# Tests the wheel that is made of what BUILD holds: run.sh BUILD [pytest arguments]
# Without .venv (scripts/setup.sh test) they are skipped, with a word; HF2MLX_REQUIRE_ORACLE=1 makes that a failure.
set -euo pipefail
build=$(cd "$1" && pwd)
shift
cd "$(dirname "$0")/../.."
python=$PWD/.venv/bin/python
if ! "$python" -c 'import mlx_lm, pytest, scikit_build_core' 2>/dev/null; then
  echo "skipped: no mlx-lm and scikit-build-core in .venv; run scripts/setup.sh test"
  [ -n "${HF2MLX_REQUIRE_ORACLE:-}" ] && exit 1
  exit 77
fi
HF2MLX_BUILD=$build exec "$python" -m pytest -q -p no:cacheprovider "${@:-tests/python}"
