# The same as plan.
test "$(hf2mlx convert "$ROOT/examples/tiny-qwen3" -q --dry-run)" = "$(hf2mlx plan "$ROOT/examples/tiny-qwen3" -q)"
test -z "$(ls)"
