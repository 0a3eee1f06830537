# Nothing is written when two variants have one folder.
hf2mlx convert "$ROOT/examples/tiny-qwen3" out --variant 4 --variant 4:64 --quiet || status=$?
test -z "$(ls -A)"
exit $status
