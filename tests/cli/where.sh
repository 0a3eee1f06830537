# Where the copies of a model are: the MLX folder or the original, for scripts.
commit=0123456789abcdef0123456789abcdef01234567
repo=$HOME/.cache/huggingface/hub/models--me--good
mkdir -p $repo/snapshots $repo/refs
cp -r "$ROOT/examples/tiny-qwen3" $repo/snapshots/$commit
printf $commit > $repo/refs/main
hf2mlx where me/good || echo "status $?"
hf2mlx where me/good --format hf
hf2mlx where me/good --format mlx || echo "status $?"
hf2mlx convert me/good -q --lm-studio --quiet
hf2mlx convert me/good here -q --q-bits 8 --quiet
hf2mlx convert me/good far/away/model --quiet
echo "--- by name"
for name in me/good good me/good@0123 me/good-MLX good-MLX; do hf2mlx where $name 2>/dev/null; done
hf2mlx where here
hf2mlx where here --format hf
hf2mlx where other || echo "status $?"
echo "--- others"
hf2mlx where me/good --all | sort
hf2mlx where me/good --all --in far | sort
hf2mlx where me/good-MLX --json
echo "--- moved on"
cp -r $repo/snapshots/$commit $repo/snapshots/fedcba9876543210fedcba9876543210fedcba98
printf fedcba9876543210fedcba9876543210fedcba98 > $repo/refs/main
hf2mlx convert me/good new -q --quiet
touch -t 203001010000 here/config.json
hf2mlx where me/good
hf2mlx where me/good@0123 2>/dev/null
hf2mlx list --in far
echo "--- an incomplete original"
rm $repo/snapshots/fedcba9876543210fedcba9876543210fedcba98/model-00002-of-00004.safetensors
hf2mlx where me/good --format hf || echo "status $?"
