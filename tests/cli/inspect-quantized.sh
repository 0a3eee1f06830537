# A model that is quantized already: its size as it is, and what it takes to make another of it.
hf2mlx convert "$ROOT/examples/tiny-qwen3" packed -q --quiet
hf2mlx inspect packed
for flags in "" "-d" "-q --q-bits 8 --requantize" "-q --q-mode mxfp4 --requantize"; do
  hf2mlx convert packed out $flags --force --quiet --json | grep '"output_bytes"'
done
