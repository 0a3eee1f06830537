# Where LM Studio's settings say.
mkdir -p $HOME/.lmstudio $HOME/elsewhere
echo "{\"downloadsFolder\": \"$HOME/elsewhere\"}" > $HOME/.lmstudio/settings.json
hf2mlx convert "$ROOT/examples/tiny-qwen3" --lm-studio=me -q --quiet
test -s $HOME/elsewhere/me/tiny-qwen3-MLX/model.safetensors
