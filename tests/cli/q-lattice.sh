# The lattice of Q4_0: what config.json and the manifest say of it, that the folder verifies, and what the summary compares it with.
hf2mlx convert "$ROOT/examples/tiny-qwen3" out -q --q-lattice q4_0 --q-override lm_head=6 --json | python3 -c '
import json, sys
report = json.load(sys.stdin)
layers = {error["layer"]: error for error in report["errors"]}
assert len(layers) == 44, len(layers)
assert layers["lm_head"]["relative_rms"] == layers["lm_head"]["rounding_rms"], "an override is rounded to nearest"
query = layers["model.layers.0.self_attn.q_proj"]
assert query["relative_rms"] != query["rounding_rms"] and query["encoding"] == "affine 4-bit g32", query
'
grep -o '"lattice": "q4_0"' out/hf2mlx.json
hf2mlx verify out --source "$ROOT/examples/tiny-qwen3"
