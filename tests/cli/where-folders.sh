# Plain folders side by side: a download says which commit it is of, and what is made of it remembers.
commit=0123456789abcdef0123456789abcdef01234567
cp -r "$ROOT/examples/tiny-qwen3" PsyLLM
mkdir -p PsyLLM/.cache/huggingface/download
for file in config.json model-00001-of-00004.safetensors; do printf '%s\netag\n99999999999.0\n' $commit > PsyLLM/.cache/huggingface/download/$file.metadata; done
hf2mlx convert PsyLLM PsyLLM-MLX -q --quiet
hf2mlx where PsyLLM
hf2mlx where PsyLLM --format hf
hf2mlx where PsyLLM-MLX --format hf
hf2mlx list | sed -n '/Conversions/,$p'
sed -i.old "s/$commit/fedcba9876543210fedcba9876543210fedcba98/" PsyLLM/.cache/huggingface/download/*.metadata
rm PsyLLM/.cache/huggingface/download/*.old
hf2mlx list | sed -n '/Conversions/,$p'
hf2mlx list --json | grep '"state"'
rm -r PsyLLM
hf2mlx list | sed -n '/Conversions/,$p'
hf2mlx where PsyLLM-MLX --format hf || echo "status $?"
