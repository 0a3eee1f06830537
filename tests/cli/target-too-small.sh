hf2mlx convert "$ROOT/examples/tiny-qwen3" --target-bpw 1.5 --quiet
