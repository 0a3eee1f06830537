# One object on stdout, whatever else is said.
hf2mlx convert "$ROOT/examples/tiny-qwen3" out --json --q-bits 8 > result.json
python3 - <<'PYTHON'
import json
result = json.load(open("result.json"))
assert result["dry_run"] is False and result["quantized_layers"] == 0 and result["seconds"] > 0, result
assert "model.safetensors" in result["files"] and "config.json" in result["files"], result
assert result["notes"][0] == "--q-bits: no effect without --quantize", result
PYTHON
