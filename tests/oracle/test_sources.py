"""Sources that other tools have quantized, in families of every kind, against decodes that are written here from the formats' definitions.

Each golden checkpoint is made twice: with quantized layers, and with what these stand for as floats (source_formats.py). Both must come
out alike, whatever is asked for.
"""
import json
import shutil

import mlx.core as mx
import pytest
import source_formats as formats
from conftest import run_program
from hub_homes import REPO
from mlx_lm.utils import load_model
from source_models import SCHEMES, Scheme, make_pair, read_tensors
from stream_models import SMALL_MEMORY, content_of, expected, stream

# Dense, tied, fused, with experts one by one and stacked, vision, latent attention, hybrid: each kind with several formats.
PAIRS = [
    ("llama", "fp8-blocks"), ("llama", "int3-zeros"), ("llama", "gptq-3"), ("llama-f32", "w8a8"), ("llama-tied", "mxfp4"),
    ("gemma2", "nf4"), ("gemma3", "int6-zeros"), ("qwen2", "fp4"), ("qwen3", "gptq-2"), ("qwen3", "mxfp8-modelopt"),
    ("phi3", "int4"), ("phi3", "gptq-4-order"), ("glm4", "awq-4"), ("internlm2", "fp8-rows"), ("internlm2", "gptq-4"),
    ("qwen3_moe", "int5"), ("qwen3_moe", "nvfp4-modelopt"), ("mixtral", "awq-8"), ("mixtral", "mxfp6"), ("olmoe", "int4-order"),
    ("qwen3_5_moe", "gptq-8-v2"), ("qwen3_next", "fp8-small-blocks"), ("gpt_oss-bf16", "w8a8-zeros"),
    ("mistral3", "fp8-blocks"), ("mistral3", "int2"), ("qwen3_vl", "nvfp4"), ("qwen3_vl_moe", "bnb-int8"), ("kimi_vl", "int4-rows"),
    ("deepseek_v3-bf16", "fp8-rows"), ("deepseek_v3-bf16", "int3-zeros"), ("deepseek_v2", "mxfp8"), ("glm4_moe", "fp8-tensor-e5m2"),
    ("qwen3_vl", "auto-round"), ("qwen3", "auto-round-plain-zeros"), ("phi3", "auto-round-awq"),
    ("nemotron_h", "fp8-modelopt"), ("falcon_h1", "int4"), ("jamba", "int8-groups-of-16"),
]


def differences(folder, other):
    """Names of tensors that are not the same, bit for bit."""
    found, wanted = read_tensors(folder), read_tensors(other)
    same = [name for name in found if name in wanted and found[name][0] == wanted[name][0] and found[name][1].shape == wanted[name][1].shape
            and found[name][1].tobytes() == wanted[name][1].tobytes()]
    return sorted((set(found) | set(wanted)) - set(same))


def config_of(folder):
    return json.loads((folder / "config.json").read_text())


def convert(folder, name, *args):
    shutil.rmtree(folder / name, ignore_errors=True)
    run_program("convert", folder / name.split("-")[0], folder / name, *args)
    return folder / name


def compare(folder, quantized_args, float_args, same_values=True):
    ours, twin = convert(folder, "quantized-out", *quantized_args), convert(folder, "floats-out", *float_args)
    if same_values:
        assert differences(ours, twin) == []
    assert config_of(ours) == config_of(twin)
    return ours, twin


def numbers_of(folder):
    """(the values of every weight, those of them that are packed)"""
    weights = {}
    for path in sorted(folder.glob("*.safetensors")):
        weights |= mx.load(str(path))
    packed = {name.removesuffix(".scales") for name in weights if name.endswith(".scales")}
    quantization = config_of(folder).get("quantization", {})
    values = {}
    for name, weight in weights.items():
        path = name.removesuffix(".weight")
        if path in packed and path != name:
            how = quantization.get(path, quantization)
            weight = mx.dequantize(weight, weights[f"{path}.scales"], weights.get(f"{path}.biases"), group_size=how["group_size"],
                                   bits=how["bits"], mode=how.get("mode", "affine"))
        if not name.endswith((".scales", ".biases")):
            values[name] = weight.astype(mx.float32)
    return values, packed


def check_packed(ours, twin):
    """What mlx_lm would compute with: the codes are the source's own, only scales times zero points are rounded."""
    load_model(ours, lazy=True)
    found, packed = numbers_of(ours)
    wanted, _ = numbers_of(twin)
    assert found.keys() == wanted.keys()
    for name, values in wanted.items():
        error = mx.abs(found[name] - values).max().item()
        allowed = 0.01 * mx.abs(values).max().item() if name.removesuffix(".weight") in packed else 0
        assert error <= allowed, name
    return packed


@pytest.mark.parametrize("case,scheme", PAIRS)
def test_quantized_and_float_sources_come_out_alike(case, scheme, tmp_path):
    how = SCHEMES[scheme]
    layers = make_pair(case, how, tmp_path)
    assert len(layers) >= 4
    compare(tmp_path, ["-d"], [], how.same_values)
    if how.packed:
        compare(tmp_path, ["-d", "--dtype", "float16"], ["--dtype", "float16"], how.same_values)
        ours, twin = convert(tmp_path, "quantized-out"), convert(tmp_path, "floats-out")
        assert bool(check_packed(ours, twin)) != scheme.endswith(("-order", "-16"))
        return
    compare(tmp_path, [], [])
    recipe = ["-q", "--q-bits", "3", "--q-group-size", "32", "--q-override", "*layers.0.*=8:32", "--dtype", "float16"]
    compare(tmp_path, recipe, recipe)


def test_every_scheme_is_tried():
    assert {scheme for _, scheme in PAIRS} == set(SCHEMES)


BITNET = {
    "divided": Scheme({"quant_method": "bitnet", "modules_to_not_convert": ["lm_head"]}, lambda r, o, i: formats.bitnet(r, o, i), packed=True),
    "multiplied": Scheme({"quant_method": "bitnet", "linear_class": "autobitlinear", "quantization_mode": "offline"},
                         lambda r, o, i: formats.bitnet(r, o, i, divided=False), packed=True),
}


@pytest.mark.parametrize("case", ["llama", "qwen2", "mistral3"])
@pytest.mark.parametrize("how", BITNET)
def test_bitnet(case, how, tmp_path):
    """As it is without options, exactly what the codes stand for with -d, and exactly that in two bits beside other layers with -q."""
    layers = make_pair(case, BITNET[how], tmp_path)
    ours = convert(tmp_path, "quantized-out")
    source, written = read_tensors(tmp_path / "quantized"), read_tensors(ours)
    for layer in layers:
        assert written[f"{layer}.weight"][1].tobytes() == source[f"{layer}.weight"][1].tobytes()
    head = "language_model.lm_head" if case == "mistral3" else "lm_head"
    assert config_of(ours)["quantization_config"] == BITNET[how].settings | {"modules_to_not_convert": [*BITNET[how].settings.get(
        "modules_to_not_convert", []), *([head] if case == "mistral3" or how == "multiplied" else [])]}
    load_model(ours, lazy=True)
    compare(tmp_path, ["-d"], [])
    ours, twin = convert(tmp_path, "quantized-out", "-q"), convert(tmp_path, "floats-out")
    load_model(ours, lazy=True)
    found, packed = numbers_of(ours)
    wanted, _ = numbers_of(twin)
    assert packed > set(layers)
    for layer in layers:
        assert mx.array_equal(found[f"{layer}.weight"], wanted[f"{layer}.weight"]), layer
        assert config_of(ours)["quantization"].get(layer, config_of(ours)["quantization"])["bits"] == 2
    again = ["-q", "--requantize", "--q-override", "*=6"]
    requantized, anew = convert(tmp_path, "quantized-out", *again), convert(tmp_path, "floats-out", "-q", "--q-override", "*=6")
    assert differences(requantized, anew) == []


def below_text_config(config):
    config["text_config"]["quantization_config"] = config.pop("quantization_config")


def under_its_older_name(config):
    config["compression_config"] = config.pop("quantization_config")


@pytest.mark.parametrize("move", [below_text_config, under_its_older_name])
def test_other_places_of_the_settings(move, tmp_path):
    make_pair("mistral3", SCHEMES["w8a8-zeros"], tmp_path)
    path = tmp_path / "quantized" / "config.json"
    config = json.loads(path.read_text())
    move(config)
    path.write_text(json.dumps(config))
    compare(tmp_path, ["-q"], ["-q"])


@pytest.mark.parametrize("scheme", ["gptq-4-order", "int6-zeros", "nf4", "bitnet"])
def test_streamed_sources_are_those_of_the_disk(scheme, hub, homes, tmp_path):
    make_pair("qwen3_moe", BITNET["divided"] if scheme == "bitnet" else SCHEMES[scheme], tmp_path)
    hub.add(REPO, {path.name: path.read_bytes() for path in (tmp_path / "quantized").iterdir()})
    stream(home := homes("home"), "-q", *SMALL_MEMORY)
    assert content_of(home.folder / "out") == expected(homes, "-q")
