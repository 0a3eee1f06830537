# Any number of threads: the same bytes, and not a word about it.
hf2mlx convert "$ROOT/examples/tiny-qwen3" one -q --quiet --threads 1
hf2mlx convert "$ROOT/examples/tiny-qwen3" many -q --quiet --threads 200
cmp one/model.safetensors many/model.safetensors
