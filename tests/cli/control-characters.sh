# What a model's files say is shown, and never obeyed by the terminal.
cp -r "$ROOT/examples/tiny-qwen3" model
sed -i.old 's/"model_type": *"qwen3"/"model_type": "bad\\u001b[31mred\\u0007"/' model/config.json
mkdir -p "$HOME/.lmstudio/models/me"
mv model "$HOME/.lmstudio/models/me/model"
hf2mlx list | grep me/model
hf2mlx convert "$HOME/.lmstudio/models/me/model" out || echo "status $?"
