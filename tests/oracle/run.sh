#!/usr/bin/env bash
# Runs the tests of this folder with the given program: run.sh PROGRAM [pytest arguments]
# Without .venv (scripts/setup.sh test) they are skipped, with a word; HF2MLX_REQUIRE_ORACLE=1 makes that a failure.
set -euo pipefail
program=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
shift
cd "$(dirname "$0")/../.."
python=${HF2MLX_PYTHON:-.venv/bin/python}
if ! "$python" -c 'import mlx_lm, pytest' 2>/dev/null; then
  echo "skipped: no mlx-lm in $python; run scripts/setup.sh test"
  [ -n "${HF2MLX_REQUIRE_ORACLE:-}" ] && exit 1
  exit 77
fi
HF2MLX=$program exec "$python" -m pytest -q -p no:cacheprovider "${@:-tests/oracle}"
