# Progress goes to stderr, the result to stdout.
hf2mlx convert "$ROOT/examples/tiny-qwen3" out -q
