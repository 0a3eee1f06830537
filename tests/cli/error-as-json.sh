# With --json an error is an object on stdout too, and stderr stays empty.
hf2mlx convert --json "$ROOT/examples/tiny-qwen3" out -q -d
