# Sizes against errors, and nothing is written but what was measured.
model="$ROOT/examples/tiny-qwen3"
hf2mlx convert "$model" out --target-bpw 4 --dry-run --sensitivity known.json | sed -n '/BITS PER WEIGHT/,$p' > table
grep -q ' chosen$' table
test "$(wc -l < table)" -gt 10
test "$(ls)" = "$(printf 'known.json\ntable')"
# A file that is something else is not overwritten.
echo '{}' > mine.json
! hf2mlx convert "$model" out --target-bpw 4 --sensitivity mine.json 2> error
grep -q 'no file of --sensitivity' error
test "$(cat mine.json)" = '{}'
