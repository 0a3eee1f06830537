# Without --force nothing that exists is touched.
mkdir out
touch out/mine
status=0
hf2mlx convert "$ROOT/examples/tiny-qwen3" out -q || status=$?
test "$(ls out)" = mine
exit $status
