# What a target cannot go with.
try() { ! hf2mlx convert "$ROOT/examples/tiny-qwen3" "$@"; }
try --target-bpw 4 --target-size 5MB
try --target-bpw 4 --q-bits 4
try --target-bpw 4 --variant 8
try --target-bpw 4 -d
try --target-bpw x
try --q-candidates 4:64
try --target-bpw 4 --q-candidates 7
