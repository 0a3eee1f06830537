"""Our output of a real model against that of the real mlx_lm: the same bytes, and the same text when it is run."""
import hashlib
import json

import mlx.core as mx
import oracle
import pytest
from mlx_lm import load, stream_generate

PROMPT = "import os\n\ndef read(path):\n"
GREEDY_TOKENS = 24


def greedy_tokens(folder):
    mx.random.seed(0)
    model, tokenizer = load(str(folder))
    return [step.token for step in stream_generate(model, tokenizer, PROMPT, max_tokens=GREEDY_TOKENS)]


def test_manifest_has_the_digest_of_every_file(pair):
    ours, _ = pair
    listed = json.loads((ours / "hf2mlx.json").read_text())["files"]
    digests = {path.relative_to(ours).as_posix(): {"size": path.stat().st_size, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
               for path in ours.rglob("*") if path.is_file() and path.name != "hf2mlx.json"}
    assert listed == digests


def test_tensors_and_config_are_those_of_mlx_lm(pair):
    ours, theirs = map(oracle.read_output, pair)
    assert len(ours["tensors"]) >= 69
    assert list(oracle.differences(theirs, ours)) == []


def test_index_counts_what_mlx_lm_counts(pair):
    ours, theirs = (oracle.json.loads((folder / "model.safetensors.index.json").read_text()) for folder in pair)
    assert ours == theirs


def test_greedy_text_is_that_of_mlx_lm(pair):
    ours, theirs = map(greedy_tokens, pair)
    assert ours == theirs
    assert len(set(ours)) > 3  # a model that says one thing for ever would agree with anything


def test_reference_converts_our_output_again(pair, tmp_path):
    """What we wrote is a model to mlx_lm itself, not only a folder that loads."""
    ours, _ = pair
    if "quantization" not in oracle.read_output(ours)["config"]:
        pytest.skip("nothing to dequantize")
    oracle.run_reference(ours, tmp_path / "again", ["-d"])
    assert (tmp_path / "again" / "model.safetensors").exists()
