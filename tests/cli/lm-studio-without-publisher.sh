# A plain folder does not say whose model it is.
hf2mlx convert "$ROOT/examples/tiny-qwen3" --lm-studio -q
