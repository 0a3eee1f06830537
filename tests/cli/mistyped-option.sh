hf2mlx convert "$ROOT/examples/tiny-qwen3" --q-bit 4
