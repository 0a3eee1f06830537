# What a model's files say is shown, and never obeyed by the terminal.
cp -r "$ROOT/examples/tiny-qwen3" model
sed -i.old 's/"model_type": *"qwen3"/"model_type": "bad\\u001b[31mred\\u0007"/' model/config.json
mkdir -p "$HOME/.lmstudio/models/me"
mv model "$HOME/.lmstudio/models/me/model"
hf2mlx list | grep me/model
hf2mlx convert "$HOME/.lmstudio/models/me/model" out || echo "status $?"
cp -r "$ROOT/examples/tiny-qwen3" named
rm named/model.safetensors.index.json
LC_ALL=C sed -i.old 's/model.norm.weight/model.\\u001b[31mx/' named/model-00004-of-00004.safetensors
rm named/*.old
hf2mlx inspect named --tensors | grep '31m'
hf2mlx verify named 2>&1 > verified || echo "status $?"
grep '31m' verified
hf2mlx convert named out 2>&1 | grep '31m'
