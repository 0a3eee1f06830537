# Bits for each layer: at most what was asked for, nearly all of it, and the same for any number of threads or with a file of sensitivities.
model="$ROOT/examples/tiny-qwen3"
hf2mlx convert "$model" one --target-bpw 4.5 --threads 1 --sensitivity known.json --json > one.json
hf2mlx convert "$model" three --target-bpw 4.5 --threads 3 --max-memory 4MB --quiet
hf2mlx convert "$model" again --target-bpw 4.5 --sensitivity known.json --json > again.json
for other in three again; do
  cmp one/model.safetensors $other/model.safetensors
  cmp one/config.json $other/config.json
done
hf2mlx convert "$model" sized --target-size 4000KB --q-candidates 3:64,4:32,4:128,6:64 --q-override 'lm_head=8:32' --json > sized.json
python3 - <<'PYTHON'
import json, os
one, again, sized = (json.load(open(f"{name}.json")) for name in ("one", "again", "sized"))
assert 4.5 * 0.995 <= one["bits_per_weight"] <= 4.5, one["bits_per_weight"]
assert one["frontier"] == again["frontier"]
errors = [point["error"] for point in one["frontier"]]
assert errors == sorted(errors, reverse=True) and len(errors) > 10
entries = json.load(open("one/config.json"))["quantization"]
layers = {k: v for k, v in entries.items() if isinstance(v, dict)}
assert len(layers) == 44 and all(set(v) == {"group_size", "bits", "mode"} for v in layers.values())
assert len({v["bits"] for v in layers.values()}) > 2
assert 4000 * 1024 * 0.995 <= os.path.getsize("sized/model.safetensors") <= 4000 * 1024, os.path.getsize("sized/model.safetensors")
entries = json.load(open("sized/config.json"))["quantization"]
assert entries["lm_head"] == {"bits": 8, "group_size": 32, "mode": "affine"}
PYTHON
