# hf2mlx.json has the digest of the weights, and one bit that changes in them is found.
hf2mlx convert "$ROOT/examples/tiny-qwen3" out --quiet
sed -n '/"model.safetensors": {/,/}/p' out/hf2mlx.json | grep -c '"sha256"'
hf2mlx verify out --quiet
printf '\1' | dd of=out/model.safetensors bs=1 seek=$(($(wc -c < out/model.safetensors) - 1)) conv=notrunc 2>/dev/null
hf2mlx verify out 2>/dev/null | grep -o "manifest.changed"
