# Every tensor with its place, and nothing is written.
hf2mlx plan "$ROOT/examples/tiny-qwen3" -q | sed -n '1,5p;$p'
test -z "$(ls)"
