# A model in the cache, one whose download did not finish, and one in LM Studio's folder.
cache=$HOME/.cache/huggingface/hub
good=$cache/models--me--good
mkdir -p $good/snapshots $good/refs $cache/models--me--unfinished
cp -r "$ROOT/examples/tiny-qwen3" $good/snapshots/0123456789abcdef
printf 0123456789abcdef > $good/refs/main
mkdir -p $cache/models--me--half/snapshots/fedcba98765432100123456789abcdef01234567
cp "$ROOT/examples/tiny-qwen3/config.json" $cache/models--me--half/snapshots/fedcba98765432100123456789abcdef01234567
hf2mlx convert me/good --lm-studio -q --quiet
mkdir -p $HOME/.lmstudio/models/someone/a-gguf
hf2mlx list
