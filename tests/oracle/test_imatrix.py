"""--imatrix: names as the real gguf package has them, files as it writes them, and less error where columns count more."""
import json
import re
import struct
import subprocess
from collections import Counter

import casefile
import gguf
import mlx.core as mx
import numpy as np
import oracle
import pytest
from conftest import SOURCE, run_program

# Golden case -> what llama.cpp calls the architecture.
ARCHITECTURES = {
    "llama": "llama", "qwen2": "qwen2", "qwen3": "qwen3", "qwen3_moe": "qwen3moe", "qwen2_moe": "qwen2moe", "mixtral": "llama",
    "gemma2": "gemma2", "gemma3_text": "gemma3", "phi": "phi2", "phi3": "phi3", "olmo2": "olmo2", "olmoe": "olmoe", "cohere": "command-r",
    "starcoder2": "starcoder2", "stablelm": "stablelm", "gpt_neox": "gptneox", "granite": "granite",
    "deepseek_v2": "deepseek2", "glm4": "glm4", "glm4_moe": "glm4moe", "ernie4_5": "ernie4_5", "lfm2": "lfm2", "mamba": "mamba",
    "mamba2": "mamba2", "exaone": "exaone", "seed_oss": "seed_oss", "smollm3": "smollm3", "dots1": "dots1",
}


def gguf_names(case, architecture):
    """Name -> (matrices, columns) of the tensors that llama.cpp multiplies by."""
    number = {name: key for key, name in gguf.MODEL_ARCH_NAMES.items()}[architecture]
    names = gguf.get_tensor_name_map(number, 64)
    columns, matrices = {}, Counter()
    for name, _, shape, *_ in case["checkpoint"]:
        merged = re.sub(r"(experts)\.\d+\.", r"\1.", name)
        known = names.get_name(merged.removesuffix(".weight"), try_suffixes=(".weight",))
        if known and name.endswith(".weight") and len(shape) == 2 and known != "token_embd":
            columns[known] = shape[1]
            matrices[known] += 1
    return {name: (matrices[name], columns[name]) for name in columns}


def sums(shape, seed):
    return (np.random.default_rng(seed).lognormal(0, 2, shape) * 100).astype(np.float32)


def write_gguf(path, shapes):
    writer = gguf.GGUFWriter(path, "")
    writer.add_type("imatrix")
    writer.add_array("imatrix.datasets", ["some.txt"])
    writer.add_uint32("imatrix.chunk_count", 7)
    for seed, (name, shape) in enumerate(shapes.items()):
        writer.add_tensor(f"{name}.weight.in_sum2", sums(shape, seed))
        writer.add_tensor(f"{name}.weight.counts", np.full((shape[0], 1), 100, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def write_dat(path, shapes):
    """The older form, which holds means times calls."""
    with open(path, "wb") as file:
        file.write(struct.pack("<i", len(shapes)))
        for seed, (name, shape) in enumerate(shapes.items()):
            text = f"{name}.weight".encode()
            values = (sums(shape, seed) / np.float32(100)).ravel()
            file.write(struct.pack("<i", len(text)) + text + struct.pack("<ii", 1, values.size) + values.tobytes())
        file.write(struct.pack("<ii", 7, 8) + b"some.txt")


def tiny_shapes():
    names = {"self_attn.q_proj": ("attn_q", 256), "self_attn.k_proj": ("attn_k", 256), "self_attn.v_proj": ("attn_v", 256),
             "self_attn.o_proj": ("attn_output", 256), "mlp.gate_proj": ("ffn_gate", 256), "mlp.up_proj": ("ffn_up", 256),
             "mlp.down_proj": ("ffn_down", 768)}
    shapes = {f"blk.{i}.{name}": (1, columns) for i in range(6) for name, columns in names.values()}
    return shapes | {"output": (1, 256)}


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_layer_finds_its_statistics(name, tmp_path):
    case = casefile.load(casefile.path_of(name))
    shapes = gguf_names(case, ARCHITECTURES[name])
    assert len(shapes) > 4
    oracle.materialize(case, tmp_path / "model")
    write_gguf(tmp_path / "imatrix.gguf", shapes)
    report = json.loads(run_program("plan", tmp_path / "model", "-q", "--q-group-size", "32", "--imatrix", tmp_path / "imatrix.gguf",
                                    "--json").stdout)
    note = next(n for n in report["notes"] if n.startswith("importance matrix"))
    weighted, layers = map(int, re.match(r"importance matrix: (\d+) of (\d+) ", note).groups())
    assert weighted >= layers - 1, note  # llama.cpp has none for the embedding, which it does not multiply by
    assert "another size" not in note


def test_both_forms_weight_alike(tmp_path):
    write_gguf(tmp_path / "new.gguf", tiny_shapes())
    write_dat(tmp_path / "old.dat", tiny_shapes())
    for form in ("new.gguf", "old.dat"):
        run_program("convert", SOURCE, tmp_path / f"of-{form}", "-q", "--q-bits", "3", "--imatrix", tmp_path / form)
    new, old = (oracle.read_output(tmp_path / f"of-{form}") for form in ("new.gguf", "old.dat"))
    assert new["tensors"] == old["tensors"]


def weighted_error(folder, name, weights):
    def tensors(path):
        return {k: v for file in path.glob("*.safetensors") for k, v in mx.load(str(file)).items()}
    before, after = tensors(SOURCE), tensors(folder)
    got = mx.dequantize(after[f"{name}.weight"], after[f"{name}.scales"], after[f"{name}.biases"], 64, 3)
    error = np.array(before[f"{name}.weight"].astype(mx.float32)) - np.array(got.astype(mx.float32))
    return float((weights * error.astype(np.float64) ** 2).sum())


def test_columns_that_count_more_have_less_error(tmp_path):
    shapes = tiny_shapes()
    write_gguf(tmp_path / "imatrix.gguf", shapes)
    run_program("convert", SOURCE, tmp_path / "weighted", "-q", "--q-bits", "3", "--q-fit", "--imatrix", tmp_path / "imatrix.gguf")
    run_program("convert", SOURCE, tmp_path / "plain", "-q", "--q-bits", "3", "--q-fit")
    weights = sums((1, 768), list(shapes).index("blk.2.ffn_down"))
    name = "model.layers.2.mlp.down_proj"
    assert weighted_error(tmp_path / "weighted", name, weights) < 0.9 * weighted_error(tmp_path / "plain", name, weights)


def test_another_models_matrix_is_refused(tmp_path):
    write_gguf(tmp_path / "other.gguf", {f"blk.{i}.attn_q": (1, 512) for i in range(6)})
    with pytest.raises(subprocess.CalledProcessError) as failure:
        run_program("convert", SOURCE, tmp_path / "out", "-q", "--imatrix", tmp_path / "other.gguf")
    assert failure.value.returncode == 2
    assert "none of its 6 statistics fits" in failure.value.stderr
    assert not (tmp_path / "out").exists()
