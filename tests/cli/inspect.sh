hf2mlx inspect "$ROOT/examples/tiny-qwen3"
