# What --q-fit has gained: the same for any number of threads, close to what verify measures on all weights, and for each layer.
hf2mlx convert "$ROOT/examples/tiny-qwen3" one -q --q-bits 2 --q-fit best --threads 1 --json > one.json
hf2mlx convert "$ROOT/examples/tiny-qwen3" three -q --q-bits 2 --q-fit best --threads 3 --max-memory 8MB --json > three.json
hf2mlx verify one --source "$ROOT/examples/tiny-qwen3" --error --json > all.json
python3 -c '
import json
one, three, everything = (json.load(open(f"{name}.json")) for name in ("one", "three", "all"))
assert one["errors"] == three["errors"]
assert [e["layer"] for e in one["errors"]] == [e["layer"] for e in everything["errors"]]
some, whole = one["whole_error"], everything["whole_error"]
assert 0.05 < some["measured"] / some["values"] < 0.2 and whole["measured"] == whole["values"] == some["values"]
for key in ("relative_rms", "rounding_rms", "rounding_zeros"):
    assert abs(some[key] / whole[key] - 1) < 0.02, (key, some, whole)
assert whole["relative_rms"] < 0.85 * whole["rounding_rms"] and whole["rounding_zeros"] > 0.3 and whole["zeros"] < 0.05, whole
'
hf2mlx convert "$ROOT/examples/tiny-qwen3" text -q --q-fit 2>/dev/null | grep -A1 'by plain rounding'
