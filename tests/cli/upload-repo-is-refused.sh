# Before anything is converted, and with what to do instead.
status=0
hf2mlx convert "$ROOT/examples/tiny-qwen3" out --upload-repo me/mine || status=$?
test ! -e out
exit $status
