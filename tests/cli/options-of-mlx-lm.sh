# A command line of mlx_lm.convert works as it is; without --mlx-path the folder is mlx_model.
hf2mlx --hf-path "$ROOT/examples/tiny-qwen3" -q --q-bits 8 --q-group-size 32 --dtype float16 --trust-remote-code --quiet
grep -q '"bits": 8' mlx_model/config.json
grep -q '"group_size": 32' mlx_model/config.json
hf2mlx --model "$ROOT/examples/tiny-qwen3" --mlx-path other --quantize --quiet
test -s other/model.safetensors
