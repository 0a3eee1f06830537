# Overrides of a file count in its order, and those after it on the command line count more.
cat > overrides.json <<'JSON'
{"*.mlp.*": "6:32", "*.layers.0.mlp.*": {"bits": 8, "group_size": 64, "mode": "affine"}, "*.self_attn.*": "keep", "*.o_proj": {"mode": "mxfp8"}}
JSON
hf2mlx convert "$ROOT/examples/tiny-qwen3" out -q --q-override @overrides.json --q-override '*.layers.1.mlp.up_proj=3' --quiet
python3 - <<'PYTHON'
import json
quantization = json.load(open("out/config.json"))["quantization"]
print({k: v for k, v in quantization.items() if not isinstance(v, dict)})
for name in ("0.mlp.up_proj", "1.mlp.up_proj", "1.mlp.down_proj", "1.self_attn.o_proj", "1.self_attn.q_proj"):
    print(name, quantization.get("model.layers." + name))
PYTHON
