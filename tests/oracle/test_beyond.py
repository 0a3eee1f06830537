"""What mlx_lm refuses or gets wrong and we convert: the real mlx_lm must be able to load it."""
import shutil
import subprocess

import casefile
import mlx.core as mx
import oracle
from conftest import run_program
from mlx.utils import tree_flatten
from mlx_lm.utils import get_total_parameters, load_model

EXEMPT = oracle.json.loads((casefile.HERE / "exempt.json").read_text())["entries"]
NEVER_LOADED = {
    "llama-mlx-mxfp4-qq": "quantized activations are not for mxfp4 there, whoever wrote the model",
    "llama-model_file": "mlx_lm asks for its Python code to be trusted",
}
# One after the other: a plain model, one with the model's own rules for layers, one that is decoded.
KINDS = ("plain", "q4", "dequantize")


def differing_variants():
    """(case, variant) of what is not held to mlx_lm's own output."""
    for path in sorted(casefile.CASES.glob("*.json")):
        case = casefile.load(path)
        for variant in KINDS:
            refused = variant in case.get("refused", {})
            if variant in case["variants"] and (refused or path.stem in EXEMPT or f"{path.stem}/{variant}" in EXEMPT):
                yield path.stem, variant


def convert(case, args, folder):
    """Our output, or None where we refuse too."""
    source, target = folder / "source", folder / "target"
    for path in (source, target):
        shutil.rmtree(path, ignore_errors=True)
    source.mkdir()
    oracle.materialize(case, source)
    try:
        run_program("convert", source, target, *args)
    except subprocess.CalledProcessError as error:
        assert error.returncode not in (70, -6, -8, -11), error.stderr
        return None
    return target


def test_what_only_we_convert_is_loaded(tmp_path):
    loaded, failures = 0, []
    for name, variant in differing_variants():
        case = casefile.load(casefile.path_of(name))
        target = convert(case, [a for a in case["variants"][variant] if a != "--trust-remote-code"], tmp_path)
        if target is None or name in NEVER_LOADED:
            continue
        try:
            load_model(target, lazy=True)
            loaded += 1
        except Exception as error:  # all of them are named at the end
            failures.append(f"{name}/{variant}: {type(error).__name__}: {error}".split("\n")[0])
    assert failures == []
    assert loaded > 100


def test_index_counts_all_parameters(tmp_path):
    target = convert(casefile.load(casefile.path_of("mamba2")), [], tmp_path)
    counted = oracle.json.loads((target / "model.safetensors.index.json").read_text())["metadata"]["total_parameters"]
    model = load_model(target)[0]
    assert counted == sum(value.size for _, value in tree_flatten(model.parameters()))
    assert counted > get_total_parameters(model)  # leaves out what belongs to no leaf layer: A_log, D, dt_bias


def test_multipliers_of_packed_layers_go_into_their_scales(tmp_path):
    """Falcon-H1 packed under its published names: as if it had been decoded first, but for the rounding of scales."""
    packed = casefile.load(casefile.path_of("falcon_h1-mlx4-source"))
    target = convert(packed, ["-d"], tmp_path)
    found = dict(tree_flatten(load_model(target)[0].parameters()))
    model, weights = tmp_path / "floats", mx.load(str(tmp_path / "source" / "model.safetensors"))
    for name in [n for n in weights if n.endswith(".scales")]:
        path = name.removesuffix(".scales")
        parts = [weights.pop(f"{path}.{part}") for part in ("weight", "scales", "biases")]
        weights[f"{path}.weight"] = mx.dequantize(*parts, group_size=64, bits=4)
    shutil.copytree(tmp_path / "source", model)
    mx.save_safetensors(str(model / "model.safetensors"), weights)
    config = {key: value for key, value in packed["config"].items() if key != "quantization"}
    (model / "config.json").write_text(oracle.json.dumps(config))
    expected = dict(tree_flatten(load_model(model)[0].parameters()))
    assert set(found) == set(expected)
    for name, value in expected.items():
        wanted = value.astype(mx.float32)
        error = mx.abs(found[name].astype(mx.float32) - wanted).max().item()
        assert error <= 0.02 * mx.abs(wanted).max().item(), name


def test_layers_with_quantized_activations_are_decoded(tmp_path):
    target = convert(casefile.load(casefile.path_of("llama-mlx-nvfp4-qq")), ["-d"], tmp_path)
    found, source = {}, {}
    for weights, folder in ((found, target), (source, tmp_path / "source")):
        for path in folder.glob("model*.safetensors"):
            weights.update(mx.load(str(path)))
    packed = [name.removesuffix(".scales") for name in source if name.endswith(".scales")]
    assert packed and not any(name.endswith(".scales") for name in found)
    for path in packed:
        wanted = mx.dequantize(source[f"{path}.weight"], source[f"{path}.scales"], group_size=16, bits=4, mode="nvfp4")
        assert mx.array_equal(found[f"{path}.weight"], wanted), path
