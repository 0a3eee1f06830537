# An eight-bit model of a four-bit one is the one that the decoded model gives; without the option, packed layers stay.
model="$ROOT/examples/tiny-qwen3"
hf2mlx convert "$model" four -q --quiet
hf2mlx convert four full -d --quiet
hf2mlx convert full eight -q --q-bits 8 --quiet
hf2mlx convert four again -q --q-bits 8 --requantize --json > report.json
cmp eight/model.safetensors again/model.safetensors
cmp eight/config.json again/config.json
hf2mlx convert four same -q --q-bits 8 --quiet
cmp four/model.safetensors same/model.safetensors
python3 - <<'PYTHON'
import json, re
notes = json.load(open("report.json"))["notes"]
print(*notes, sep="\n")
loss = float(re.search(r"by ([0-9.]+) %", notes[-1])[1])
assert 0.1 < loss < 2, loss
PYTHON
