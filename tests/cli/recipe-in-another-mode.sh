# As mlx_lm refuses it, even where nothing is quantized; and before anything is written.
hf2mlx convert "$ROOT/examples/tiny-qwen3" out --quant-predicate mixed_4_6 --q-mode mxfp4 || status=$?
test ! -e out
exit $status
