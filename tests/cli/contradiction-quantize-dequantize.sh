hf2mlx convert "$ROOT/examples/tiny-qwen3" out -q -d
