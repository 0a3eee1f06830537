hf2mlx convret "$ROOT/examples/tiny-qwen3"
