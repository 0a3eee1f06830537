# A sound folder, and one that every program would refuse: the exit status says how bad it is.
hf2mlx convert "$ROOT/examples/tiny-qwen3" out -q --quiet
hf2mlx verify out
hf2mlx verify out --source "$ROOT/examples/tiny-qwen3" 2>/dev/null
rm out/tokenizer.json
status=0
hf2mlx verify out || status=$?
echo "status $status"
rm out/model.safetensors
hf2mlx verify out --quiet
