"""verify says of a folder what the real mlx_lm says of it: what it calls broken does not load, what it passes does; and what it measures is so."""
import json
import shutil
import subprocess
import os

import mlx.core as mx
import numpy as np
import oracle
import pytest
from conftest import run_program
from mlx_lm import load

WARNINGS, ERRORS = 1, 5


def verify(folder, *args):
    done = subprocess.run([os.environ["HF2MLX"], "verify", folder, "--json", *map(str, args)], capture_output=True, text=True)
    return done.returncode, json.loads(done.stdout)


def edit(name, **changes):
    def damage(folder):
        value = json.loads((folder / name).read_text())
        for key, new in changes.items():
            value.pop(key) if new is None else value.__setitem__(key, new)
        (folder / name).write_text(json.dumps(value))
    return damage


def quantization(**changes):
    def damage(folder):
        config = json.loads((folder / "config.json").read_text())
        for key, new in changes.items():
            config["quantization"].pop(key) if new is None else config["quantization"].__setitem__(key, new)
        (folder / "config.json").write_text(json.dumps(config))
    return damage


LAYER = "model.layers.1.mlp.up_proj"


def entry(**changes):
    return quantization(**{LAYER: {"group_size": 64, "bits": 4} | changes})


def conflict(folder):
    (folder / "additional_chat_templates").mkdir()
    (folder / "additional_chat_templates" / "tool_use.jinja").write_text("t")
    (folder / "chat_template.json").write_text(json.dumps({"chat_template": "t"}))


def truncate(name):
    def damage(folder):
        data = (folder / name).read_bytes()
        (folder / name).write_bytes(data[:len(data) // 2])
    return damage


def stray(folder):
    mx.save_safetensors(str(folder / "model-old.safetensors"), {"model.layers.9.mlp.gate_proj.weight": mx.zeros((2, 2))})


def without_head(folder):
    weights = mx.load(str(folder / "model.safetensors"))
    mx.save_safetensors(str(folder / "model.safetensors"), {k: v for k, v in weights.items() if not k.startswith("lm_head.")})
    (folder / "model.safetensors.index.json").unlink()


def without_tokenizer(folder):
    for name in ("tokenizer.json", "tokenizer_config.json", "vocab.json", "merges.txt"):
        (folder / name).unlink()


def stale_index(folder):
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"a": "model-00001-of-00002.safetensors"}}))


# name: (what is done, the check that must find it, whether mlx_lm loads it still)
DAMAGES = {
    "weights cut": (truncate("model.safetensors"), "weights.header", False),
    "weights gone": (lambda folder: (folder / "model.safetensors").unlink(), "weights.none", False),
    "stray weights": (stray, "weights.stray", False),
    "config gone": (lambda folder: (folder / "config.json").unlink(), "config.missing", False),
    "config cut": (truncate("config.json"), "files.json", False),
    "model type": (edit("config.json", model_type="qwen33"), "architecture.unknown", False),
    "a layer more": (edit("config.json", num_hidden_layers=7), "architecture.tensors", False),
    "a layer fewer": (edit("config.json", num_hidden_layers=5), "architecture.tensors", False),
    "other width": (edit("config.json", intermediate_size=512), "architecture.tensors", False),
    "not said to be quantized": (edit("config.json", quantization=None, quantization_config=None), "architecture.tensors", False),
    "head gone": (without_head, "architecture.head", False),
    "no group size": (quantization(group_size=None), "quantization.settings", False),
    "no bits": (quantization(bits=None), "quantization.settings", False),
    "unknown mode": (quantization(mode="nf4"), "quantization.settings", True),
    "a word in an entry": (entry(foo=1), "quantization.entry", False),
    "an entry of another width": (entry(bits=8), "architecture.tensors", False),
    "an entry of another mode": (entry(group_size=32, mode="mxfp4"), "architecture.tensors", False),
    "false for a layer": (quantization(**{LAYER: False}), "architecture.tensors", False),
    "true for a layer": (quantization(**{LAYER: True}), "quantization.repeated", True),
    "a head beside tied embeddings": (edit("config.json", tie_word_embeddings=True), "architecture.head", False),
    "end of text as text": (edit("config.json", eos_token_id="2"), "config.type", False),
    "two ways to name templates": (conflict, "template.conflict", True),
    "tokenizer cut": (truncate("tokenizer.json"), "tokenizer.json", False),
    "stale index": (stale_index, "index.stale", True),
    "a remark in quantization": (quantization(remark="ours"), "quantization.entry", True),
    "an entry without a layer": (quantization(**{"language_model.lm_head": {"group_size": 64, "bits": 8}}), "quantization.idle-entry", True),
    "other end of text": (edit("generation_config.json", eos_token_id=5), "stop.left-out", True),
    "vision without a tower": (edit("config.json", vision_config={}), "config.vision", True),
}


@pytest.fixture(scope="module")
def converted(source, tmp_path_factory):
    folder = tmp_path_factory.mktemp("verify") / "q4"
    run_program("convert", source, folder, "-q")
    return folder


def test_a_conversion_passes(converted):
    status, result = verify(converted)
    assert (status, result["findings"]) == (0, [])


@pytest.mark.parametrize("name", DAMAGES)
def test_what_is_found_is_what_mlx_lm_refuses(name, converted, tmp_path):
    damage, check, loads = DAMAGES[name]
    shutil.copytree(converted, tmp_path / "out")
    damage(tmp_path / "out")
    status, result = verify(tmp_path / "out")
    found = {finding["check"]: finding for finding in result["findings"]}
    assert check in found
    assert ("mlx-lm" in sum((f["refused_by"] for f in result["findings"]), [])) <= (not loads)
    if loads:
        assert status == WARNINGS
        load(str(tmp_path / "out"))
    else:
        assert status == ERRORS
        with pytest.raises(Exception):
            load(str(tmp_path / "out"))


def test_words_of_others_go_when_a_model_is_converted_again(converted, tmp_path):
    shutil.copytree(converted, tmp_path / "in")
    entry(kl=0.5)(tmp_path / "in")
    run_program("convert", tmp_path / "in", tmp_path / "out")
    load(str(tmp_path / "out"))
    assert verify(tmp_path / "out")[0] == 0


def test_without_a_tokenizer_no_text_is_read(converted, source, tmp_path):
    shutil.copytree(converted, tmp_path / "out")
    without_tokenizer(tmp_path / "out")
    status, result = verify(tmp_path / "out")
    assert status == ERRORS
    assert "tokenizer.none" in {finding["check"] for finding in result["findings"]}
    try:  # mlx_lm takes an empty one of the model's class
        tokens = load(str(tmp_path / "out"))[1].encode("def read(path):")
    except Exception:
        return
    assert len(tokens) < 3


def test_our_output_and_that_of_mlx_lm_are_recomputed_bit_for_bit(pair, source):
    for folder, recorded in zip(pair, (True, False)):
        status, result = verify(folder, "--source", source)
        comparison = result["comparison"]
        assert comparison["equal"] >= 69
        assert comparison["different"] == comparison["missing"] == comparison["unexpected"] == 0
        checks = {finding["check"] for finding in result["findings"]}
        # mlx_lm saves the tokenizer anew, and leaves files out.
        assert checks == set() if recorded else checks <= {"source.file", "tokenizer.class", "tokenizer.extra-tokens"}


def test_the_first_difference_is_named(converted, source, tmp_path):
    shutil.copytree(converted, tmp_path / "out")
    path = tmp_path / "out" / "model.safetensors"
    data = bytearray(path.read_bytes())
    header = int.from_bytes(data[:8], "little")
    entry = json.loads(data[8:8 + header])["model.norm.weight"]
    at = 8 + header + entry["data_offsets"][0] + 2 * 10
    before = bytes(data[at:at + 2])
    data[at] ^= 1
    path.write_bytes(data)
    status, result = verify(tmp_path / "out", "--source", source)
    assert status == ERRORS
    [finding] = [f for f in result["findings"] if f["check"] == "source.tensor"]
    assert finding["place"] == "model.safetensors, model.norm.weight"
    wanted, found = (f"0x{int.from_bytes(b, 'little'):04x}" for b in (before, bytes(data[at:at + 2])))
    assert finding["reason"] == (f"1 of 512 bytes differ, first in row 0, column 10 (byte {at} of the file): {found} found, {wanted} expected")
    assert result["comparison"]["different"] == 1


def test_errors_are_those_that_mlx_measures(pair, source):
    folder, _ = pair
    status, result = verify(folder, "--source", source, "--error")
    assert status == 0
    config = json.loads((folder / "config.json").read_text())
    assert bool(result.get("errors")) == ("quantization" in config)
    before, after = ({}, {})
    for path in source.glob("*.safetensors"):
        before.update(mx.load(str(path)))
    for path in folder.glob("*.safetensors"):
        after.update(mx.load(str(path)))
    for error in result.get("errors", []):
        layer = error["layer"]
        settings = config["quantization"].get(layer) or config["quantization"]
        group = settings["group_size"]
        decoded = mx.dequantize(after[layer + ".weight"], after[layer + ".scales"], after.get(layer + ".biases"), group_size=group,
                                bits=settings["bits"], mode=settings.get("mode", "affine"))
        x, y = (np.array(a.astype(mx.float32), dtype=np.float64).reshape(-1, group) for a in (before[layer + ".weight"], decoded))
        squares, values = ((x - y) ** 2).sum(1), (x ** 2).sum(1)
        assert error["values"] == x.size
        assert error["relative_rms"] == pytest.approx(np.sqrt(squares.sum() / values.sum()), rel=1e-9)
        assert error["rounding_rms"] == error["relative_rms"]
        assert error["worst_group"] == pytest.approx(np.sqrt((squares / values).max()), rel=1e-9)
        assert error["worst_index"] == np.argmax(squares / values)
        steps = np.clip(8 * np.log2(np.sqrt(squares / values)) + 80, 0, 79).astype(int)
        assert error["group_errors"] == [[pytest.approx(2 ** (step / 8 - 10)), (steps == step).sum()] for step in np.unique(steps)]
        assert error["zeros"] == pytest.approx((y == 0).mean())
        assert error["source_zeros"] == pytest.approx((x == 0).mean())


def test_fix_eos_is_what_mlx_lm_stops_at(source, tmp_path):
    shutil.copytree(source, tmp_path / "in")
    edit("config.json", eos_token_id=7)(tmp_path / "in")
    edit("generation_config.json", eos_token_id=5)(tmp_path / "in")
    run_program("convert", tmp_path / "in", tmp_path / "plain")
    run_program("convert", tmp_path / "in", tmp_path / "fixed", "--fix-eos")
    # <|endoftext|> is the tokenizer's, <|im_end|> the template's.
    assert set(load(str(tmp_path / "plain"))[1].eos_token_ids) == {5, 0}
    assert set(load(str(tmp_path / "fixed"))[1].eos_token_ids) == {5, 7, 0, 2}
    for name in ("config.json", "generation_config.json"):
        assert json.loads((tmp_path / "fixed" / name).read_text())["eos_token_id"] == [7, 5, 0, 2]
    assert verify(tmp_path / "plain")[0] == WARNINGS
    assert verify(tmp_path / "fixed", "--source", tmp_path / "in")[0] == 0


def test_fix_eos_reaches_text_config(source, tmp_path):
    """mlx-swift-lm and LM Studio look into text_config where config.json itself names no token; mlx_lm does not."""
    shutil.copytree(source, tmp_path / "in")
    edit("config.json", eos_token_id=None, text_config={"eos_token_id": 9})(tmp_path / "in")
    edit("generation_config.json", eos_token_id=None)(tmp_path / "in")
    plain = run_program("convert", tmp_path / "in", tmp_path / "plain")
    assert "token 9 ends a text, says text_config of config.json" in plain.stderr
    assert json.loads((tmp_path / "plain" / "config.json").read_text())["text_config"] == {"eos_token_id": 9}
    run_program("convert", tmp_path / "in", tmp_path / "fixed", "--fix-eos")
    config = json.loads((tmp_path / "fixed" / "config.json").read_text())
    assert set(config["eos_token_id"]) == {9, 0, 2} and config["text_config"]["eos_token_id"] == config["eos_token_id"]
    assert set(load(str(tmp_path / "fixed"))[1].eos_token_ids) == {9, 0, 2}
    assert verify(tmp_path / "fixed")[0] == 0


def with_tensors(source, folder, change, **config):
    shutil.copytree(source, folder)
    weights = {}
    for path in sorted(folder.glob("*.safetensors*")):
        if path.suffix == ".safetensors":
            weights.update(mx.load(str(path)))
    mx.eval(weights)
    for path in folder.glob("*.safetensors*"):
        path.unlink()
    change(weights)
    mx.save_safetensors(str(folder / "model.safetensors"), weights, metadata={"format": "pt"})
    edit("config.json", **config)(folder)


def test_a_checkpoint_without_a_head_is_tied(source, tmp_path):
    with_tensors(source, tmp_path / "in", lambda weights: weights.pop("lm_head.weight"))
    with pytest.raises(Exception):
        load(str(tmp_path / "in"))
    done = run_program("convert", tmp_path / "in", tmp_path / "out")
    assert "they are tied" in done.stderr
    assert load(str(tmp_path / "out"))[0].args.tie_word_embeddings
    assert verify(tmp_path / "out")[0] == 0


@pytest.mark.parametrize("same", [True, False])
def test_a_head_beside_tied_embeddings_goes_as_with_mlx_lm(same, source, tmp_path):
    def change(weights):
        if same:
            weights["lm_head.weight"] = weights["model.embed_tokens.weight"]
    with_tensors(source, tmp_path / "in", change, tie_word_embeddings=True)
    done = run_program("convert", tmp_path / "in", tmp_path / "out")
    assert ("lm_head.weight is left out" in done.stderr) == (not same)
    oracle.run_reference(tmp_path / "in", tmp_path / "theirs", [])
    ours, theirs = map(oracle.read_output, (tmp_path / "out", tmp_path / "theirs"))
    assert list(oracle.differences(theirs, ours)) == []


@pytest.mark.parametrize("same", [True, False])
def test_the_rest_of_a_packed_head_goes(same, converted, tmp_path):
    """MLX models whose config.json says that the head is the embedding, and that have one all the same: mlx_lm refuses them."""
    shutil.copytree(converted, tmp_path / "in")
    weights = mx.load(str(tmp_path / "in" / "model.safetensors"))
    if same:
        for part in ("weight", "scales", "biases"):
            weights[f"lm_head.{part}"] = weights[f"model.embed_tokens.{part}"]
        mx.save_safetensors(str(tmp_path / "in" / "model.safetensors"), weights, metadata={"format": "mlx"})
    edit("config.json", tie_word_embeddings=True)(tmp_path / "in")
    with pytest.raises(ValueError, match="lm_head.biases"):
        load(str(tmp_path / "in"))
    done = run_program("convert", tmp_path / "in", tmp_path / "out")
    assert ("lm_head.weight is left out" in done.stderr) == (not same)
    after = mx.load(str(tmp_path / "out" / "model.safetensors"))
    assert set(after) == {name for name in weights if not name.startswith("lm_head.")}
    assert all(mx.array_equal(after[name], weights[name]) for name in after)
    model, _ = load(str(tmp_path / "out"))
    assert model.args.tie_word_embeddings
    assert verify(tmp_path / "out")[0] == 0
