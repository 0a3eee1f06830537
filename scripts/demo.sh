#!/usr/bin/env bash
# Converts examples/tiny-qwen3 to 4 bit and says what came out: demo.sh PROGRAM
set -euo pipefail
cd "$(dirname "$0")/.."
program=$1
source=examples/tiny-qwen3
output=build/demo/tiny-qwen3-4bit

# A number of a model folder's index.
count() { sed -n "s/.*\"$2\": *\([0-9]*\).*/\1/p" "$1/model.safetensors.index.json"; }

rm -rf "$output"
mkdir -p "$(dirname "$output")"
TIMEFORMAT=%R
seconds=$({ time "$program" convert "$source" "$output" --quantize --quiet; } 2>&1)

before=$(count "$source" total_size)
after=$(count "$output" total_size)
parameters=$(count "$output" total_parameters)
awk -v before="$before" -v after="$after" -v parameters="$parameters" -v seconds="$seconds" 'BEGIN {
  printf "before   %6.2f MB   %5.2f bits per weight\n", before / 1e6, before * 8 / parameters
  printf "after    %6.2f MB   %5.2f bits per weight\n", after / 1e6, after * 8 / parameters
  printf "time     %6.3f s\n", seconds
}'
echo "where    $output"
cat <<END

To run it on a Mac:          mlx_lm.generate --model $output --prompt "import os"
To find it in LM Studio:     $program convert $source --quantize --lm-studio demo
END
