hf2mlx inspect "$ROOT/examples/tiny-qwen3" --json > result.json
python3 - <<'PYTHON'
import json
result = json.load(open("result.json"))
assert result["model_type"] == "qwen3" and result["convertible"] is True and result["parameters"] == 6819840, result
assert result["dtypes"] == {"BF16": 13639680} and len(result["tensors"]) == 69, result
PYTHON
