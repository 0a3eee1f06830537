# A closed pipe is no failure and says nothing.
set -o pipefail
hf2mlx plan "$ROOT/examples/tiny-qwen3" -q --json | true
