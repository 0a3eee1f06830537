# Control characters in a model's files never reach the terminal.
. "$ROOT/tests/support/terminal.sh"
cached GMLHUHE PsyLLM
sed -i.old 's/"model_type": *"qwen3"/"model_type": "bad\\u001b]0;title\\u0007\\u001b[31mred"/' $HOME/.cache/huggingface/hub/*/snapshots/*/config.json
terminal hf2mlx
wait_for cannot
keys Enter
wait_for 'cannot be converted'
screen_text | grep cannot
