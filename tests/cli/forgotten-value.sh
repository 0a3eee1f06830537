# An option is never taken for the value of another.
hf2mlx convert "$ROOT/examples/tiny-qwen3" --output --force
