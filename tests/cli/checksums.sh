# hf2mlx.json has a digest of weights that were encoded, and of copied ones where that is asked for. Without one the size still counts.
recorded() { sed -n '/"model.safetensors": {/,/}/p' "$1/hf2mlx.json" | grep -c '"sha256"' || true; }
hf2mlx convert "$ROOT/examples/tiny-qwen3" encoded -q --quiet
hf2mlx convert "$ROOT/examples/tiny-qwen3" copied --quiet
hf2mlx convert "$ROOT/examples/tiny-qwen3" hashed --checksums --quiet
recorded encoded
recorded copied
recorded hashed
hf2mlx verify copied --quiet
# One bit of the last weight.
for folder in copied hashed; do
  chmod u+w $folder/model.safetensors
  printf '\1' | dd of=$folder/model.safetensors bs=1 seek=$(($(wc -c < $folder/model.safetensors) - 1)) conv=notrunc 2>/dev/null
done
hf2mlx verify copied --quiet
hf2mlx verify hashed 2>/dev/null | grep -o "manifest.changed"
