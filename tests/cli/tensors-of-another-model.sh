# A list of tensors has lines; a line break in a name is no way to begin one that looks like the program's.
cp -r "$ROOT/examples/tiny-qwen3" model
sed -i.old 's/"num_hidden_layers": 6/"num_hidden_layers": 5/' model/config.json
hf2mlx convert model out || echo "status $?"
hf2mlx convert $'name\nhf2mlx: done\e[1A' out || echo "status $?"
