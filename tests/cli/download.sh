# A model of the hub: what would be done, then the download, then a conversion that finds it, and one that downloads by itself.
python3 "$ROOT/tests/support/hub_server.py" --port-file address me/one="$ROOT/examples/tiny-qwen3" me/two="$ROOT/examples/tiny-qwen3" &
server=$!
trap 'kill $server' EXIT
while [ ! -e address ]; do sleep 0.05; done
export HF_ENDPOINT=$(cat address) HF_HUB_OFFLINE=0
hf2mlx download me/one --dry-run | tail -1
test ! -e "$HOME/.cache"
hf2mlx download me/one --quiet
HF_HUB_OFFLINE=1 hf2mlx convert me/one one -q --quiet
hf2mlx convert me/two two -q --quiet
cmp one/model.safetensors two/model.safetensors
hf2mlx download me/three --quiet 2> err || status=$?
test $status = 3
sed "s|$HF_ENDPOINT|HUB|g" err
