# A pattern that matches nothing is named, and so is one that matches only layers that are quantized already.
hf2mlx convert "$ROOT/examples/tiny-qwen3" out -q --q-override 'lm_haed=8' --quiet || true
hf2mlx convert "$ROOT/examples/tiny-qwen3" four -q --quiet
hf2mlx convert four out -q --q-override '*.mlp.*=8' --quiet
