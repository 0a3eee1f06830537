# --source and --output without a command, twice: --force replaces the first result.
hf2mlx --source "$ROOT/examples/tiny-qwen3" --output out --force --quantize --quiet
touch out/left-over
hf2mlx --source "$ROOT/examples/tiny-qwen3" --output out --force --quantize --quiet
test -s out/model.safetensors
test ! -e out/left-over
