hf2mlx convert "$ROOT/examples/tiny-qwen3" -q --q-mode mxfp3
