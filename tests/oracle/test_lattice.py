"""--q-lattice q4_0: the numbers that the real gguf package makes of the same weights."""
import json
import subprocess

import gguf
import mlx.core as mx
import numpy as np
import pytest
from conftest import SOURCE, run_program

Q4_0 = gguf.GGMLQuantizationType.Q4_0


def tensors(folder):
    return {name: value for file in folder.glob("*.safetensors") for name, value in mx.load(str(file)).items()}


def decoded(converted, path):
    """scale * code + bias in float32, where nothing of it is rounded."""
    weight, scales, biases = (converted[f"{path}.{part}"] for part in ("weight", "scales", "biases"))
    out = mx.dequantize(weight, scales.astype(mx.float32), biases.astype(mx.float32), 32, 4)
    assert mx.array_equal(biases.astype(mx.float32), -8 * scales.astype(mx.float32))
    return np.array(out)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float32"])
def test_weights_are_those_of_gguf(dtype, tmp_path):
    run_program("convert", SOURCE, tmp_path / "full", "--dtype", dtype)
    run_program("convert", SOURCE, tmp_path / "out", "-q", "--q-lattice", "q4_0", "--dtype", dtype)
    full, converted = tensors(tmp_path / "full"), tensors(tmp_path / "out")
    layers = [name.removesuffix(".scales") for name in converted if name.endswith(".scales")]
    assert len(layers) == 44
    for path in layers:
        values = np.array(full[f"{path}.weight"].astype(mx.float32))
        theirs = gguf.dequantize(gguf.quantize(values, Q4_0), Q4_0)
        assert np.array_equal(decoded(converted, path), theirs), path
    assert json.loads((tmp_path / "out" / "config.json").read_text())["quantization"] == {"bits": 4, "group_size": 32, "mode": "affine"}


def test_bfloat16_has_the_bytes_of_mlx_swift_lm(tmp_path):
    """Its converter's definition of q4Zero, which leaves scales as they are; those of bfloat16 are numbers of float16 anyway, unless tiny."""
    run_program("convert", SOURCE, tmp_path / "full")
    run_program("convert", SOURCE, tmp_path / "out", "-q", "--q-lattice", "q4_0")
    full, converted = tensors(tmp_path / "full"), tensors(tmp_path / "out")
    for path in [name.removesuffix(".scales") for name in converted if name.endswith(".scales")]:
        groups = np.array(full[f"{path}.weight"].astype(mx.float32)).reshape(-1, 32)
        farthest = groups[np.arange(len(groups)), np.abs(groups).argmax(axis=1)]
        scales = farthest / np.float32(-8)
        assert (np.abs(farthest) >= 2**-11).all(), path
        codes = np.clip(np.floor(groups * (np.float32(1) / scales)[:, None] + np.float32(8.5)), 0, 15).astype(np.uint32)
        words = (codes.reshape(-1, 8) << (4 * np.arange(8, dtype=np.uint32))).sum(axis=1, dtype=np.uint32)
        for part, expected in {"weight": mx.array(words), "scales": mx.array(scales).astype(mx.bfloat16),
                               "biases": mx.array(-8 * scales).astype(mx.bfloat16)}.items():
            assert mx.array_equal(converted[f"{path}.{part}"].reshape(-1), expected), f"{path}.{part}"


def test_a_trained_lattice_is_kept(tmp_path):
    """Weights that Q4_0 stands for already, as a QAT checkpoint in float16 may hold them, come out unchanged."""
    run_program("convert", SOURCE, tmp_path / "full", "--dtype", "float16", "--single-file")
    file = tmp_path / "full" / "model.safetensors"
    full = mx.load(str(file))
    trained = {}
    for name, value in full.items():
        values = np.array(value.astype(mx.float32))
        if values.ndim == 2:
            values = gguf.dequantize(gguf.quantize(values, Q4_0), Q4_0)
        trained[name] = mx.array(values).astype(mx.float32)
    mx.save_safetensors(str(file), trained, {"format": "mlx"})
    run_program("convert", tmp_path / "full", tmp_path / "out", "-q", "--q-lattice", "q4_0")
    converted = tensors(tmp_path / "out")
    for path in [name.removesuffix(".scales") for name in converted if name.endswith(".scales")]:
        assert np.array_equal(decoded(converted, path), np.array(trained[f"{path}.weight"])), path


@pytest.mark.parametrize("options, reason", [
    (["--q-fit", "best"], "the lattice settles scales and codes"),
    (["--q-bits", "8"], "affine with 4 bits in groups of 32"),
    (["--q-group-size", "64"], "affine with 4 bits in groups of 32"),
    (["--q-mode", "mxfp4"], "affine with 4 bits in groups of 32"),
    (["--quant-predicate", "mixed_4_6"], "the lattice has 4 bits"),
    (["--target-bpw", "5"], "a target chooses the bits of each layer itself"),
])
def test_what_it_cannot_go_with(options, reason, tmp_path):
    with pytest.raises(subprocess.CalledProcessError) as refusal:
        run_program("convert", SOURCE, tmp_path / "out", "-q", "--q-lattice", "q4_0", *options)
    assert reason in refusal.value.stderr
    assert not (tmp_path / "out").exists()
