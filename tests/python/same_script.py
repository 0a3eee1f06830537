"""Converts a model in many ways: same_script.py MODEL FOLDER. Of this file only the first import differs between the two packages."""
import sys
from pathlib import Path

from mlx_lm import convert

source, target = sys.argv[1], Path(sys.argv[2])


def all_but_the_head(path, module):
    assert hasattr(module, "to_quantized")
    return path != "lm_head"


def by_path(path, module):
    if path.endswith("v_proj") or "lm_head" in path:
        return {"bits": 8}
    if "down_proj" in path:
        return {"group_size": 32, "bits": 6, "mode": "affine"}
    if path.startswith("model.layers.0."):
        return False
    return True


def by_shape_and_class(path, module):
    if type(module).__name__ == "Embedding":
        return {"group_size": 128, "bits": 8}
    rows, cols = module.weight.shape
    if module.__class__.__name__ != "Linear" or module.weight.ndim != 2 or module.weight.size != rows * cols:
        raise AssertionError(f"{path}: {module}")
    return {"mode": "mxfp4"} if rows > cols else {"mode": "mxfp8", "group_size": 32, "bits": 8}


convert(source, target / "plain")
convert(hf_path=source, mlx_path=str(target / "q4"), quantize=True)
convert(source, target / "positional", True, 32, 8, "affine", "float16")
convert(source, target / "mxfp8", quantize=True, q_mode="mxfp8")
convert(source, target / "nvfp4", quantize=True, q_mode="nvfp4", dtype="float32", trust_remote_code=True)
convert(source, target / "recipe", quantize=True, q_group_size=64, quant_predicate="mixed_3_6")
convert(source, target / "predicate", quantize=True, quant_predicate=all_but_the_head)
convert(source, target / "stated", quantize=True, q_bits=3, quant_predicate=by_path, revision="main")
convert(source, target / "shapes", quantize=True, q_group_size=128, quant_predicate=by_shape_and_class)
convert(source, target / "none", quantize=True, quant_predicate=lambda path, module: None)
convert(target / "q4", target / "back", dequantize=True)
convert(target / "stated", target / "stated-back", dequantize=True)

for call in (lambda: convert(source, target / "q4"), lambda: convert(source, target / "x", quantize=True, dequantize=True),
             lambda: convert(source, target / "x", quantize=True, q_mode="mxfp4", quant_predicate="mixed_4_6"),
             lambda: convert(source, target / "x", quantize=True, quant_predicate="mixed_9_9"),
             lambda: convert(source, target / "x", quantize=True, quant_predicate=lambda path, module: "yes"),
             lambda: convert(source, target / "x", quantize=True, quant_predicate=lambda path, module: {"bits": 7})):
    try:
        call()
    except ValueError:
        continue
    raise AssertionError("no ValueError")

for call in (lambda: convert(source, target / "x", quantize=True, quant_predicate=lambda path, module: {"bitz": 4}),
             lambda: convert(source, target / "x", "yes", q_bitz=4)):
    try:
        call()
    except TypeError:
        continue
    raise AssertionError("no TypeError")

empty = target.parent / f"{target.name}-empty"
empty.mkdir()
try:
    convert(str(empty), target / "x")
except FileNotFoundError:
    pass
