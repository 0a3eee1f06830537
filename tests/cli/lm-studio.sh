# Into LM Studio's folder, by the name that its list shows.
hf2mlx convert "$ROOT/examples/tiny-qwen3" --lm-studio me -q --name '{model}-MLX-{bits}bit' | tail -1
test -s $HOME/.lmstudio/models/me/tiny-qwen3-MLX-4bit/model.safetensors
