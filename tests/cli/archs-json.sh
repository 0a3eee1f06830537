hf2mlx archs --json > result.json
python3 - <<'PYTHON'
import json
names = [arch["name"] for arch in json.load(open("result.json"))["architectures"]]
assert "qwen3" in names and names == sorted(names), names
PYTHON
