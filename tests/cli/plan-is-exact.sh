# What a plan says of every tensor is what a conversion writes.
hf2mlx plan "$ROOT/examples/tiny-qwen3" out -q --max-shard-size 1MB --json > plan.json
hf2mlx convert "$ROOT/examples/tiny-qwen3" out -q --max-shard-size 1MB --quiet
python3 - <<'PYTHON'
import json, pathlib, struct
written = {}
for path in pathlib.Path("out").glob("*.safetensors"):
    raw = path.read_bytes()
    size, = struct.unpack_from("<Q", raw)
    for name, t in json.loads(raw[8:8 + size]).items():
        if name != "__metadata__":
            begin, end = t["data_offsets"]
            written[name] = (path.name, t["dtype"], t["shape"], begin + 8 + size, end - begin)
plan = json.load(open("plan.json"))
planned = {t["name"]: (t["shard"], t["dtype"], t["shape"], t["offset_bytes"], t["size_bytes"]) for t in plan["tensors"]}
assert planned == written, [name for name in planned if planned[name] != written.get(name)]
assert len({t["shard"] for t in plan["tensors"]}) > 1
assert plan["dry_run"] is True and plan["output_bytes"] == sum(t[4] for t in planned.values())
PYTHON
