"""Exceptions: ours, and at the same time those that callers of mlx_lm catch."""
import errno
import json
import pickle
import shutil
import traceback
from pathlib import Path

import pytest
from conftest import MODEL, SOURCE


def raised_by(call):
    with pytest.raises(Exception) as caught:
        call()
    return caught.value


def is_one(error, code, *kinds):
    return error.code == code and all(isinstance(error, kind) for kind in kinds)


def test_a_target_that_exists(hf2mlx):
    Path("out").mkdir()
    error = raised_by(lambda: hf2mlx.convert(SOURCE, "out"))
    assert is_one(error, "usage", hf2mlx.UsageError, hf2mlx.Error, ValueError)
    assert "force" in error.hint and "--" not in error.hint
    assert error.hint in "".join(traceback.format_exception(error)) or not hasattr(error, "add_note")


@pytest.mark.parametrize("parameters, words", [
    (dict(quantize=True, dequantize=True), "quantize and dequantize"),
    (dict(quantize=True, q_mode="int8"), "q_mode: 'int8'"),
    (dict(quantize=True, q_bits=7), "bits 7"),
    (dict(dtype="int8"), "dtype: 'int8'"),
    (dict(quantize=True, quant_predicate="mixed_9_9"), "quant_predicate: 'mixed_9_9'"),
    (dict(quantize=True, q_mode="mxfp4", quant_predicate="mixed_4_6"), "recipes are affine"),
    (dict(quantize=True, q_fit="slow"), "q_fit: 'slow'"),
    (dict(quantize=True, overrides=["x"]), "overrides 'x'"),
    (dict(quantize=True, overrides={"x": {"bitz": 3}}), "bitz"),
    (dict(target_bpw=4, target_size=5), "target_bpw and target_size"),
    (dict(target_bpw=4, quant_predicate=lambda path, layer: True), "chooses the bits"),
    (dict(q_candidates=[4]), "for a target"),
    (dict(single_file=True, max_shard_size=5), "contradict"),
])
def test_options_that_contradict_each_other(hf2mlx, hub, parameters, words):
    """Found before anything is downloaded."""
    error = raised_by(lambda: hf2mlx.convert(MODEL, "out", **parameters))
    assert is_one(error, "usage", hf2mlx.UsageError, ValueError) and words in str(error)
    assert hub.log == []


def test_a_model_that_is_not_there(hf2mlx):
    for model in ("nowhere", Path("/nowhere/at/all"), "org/model"):
        assert is_one(raised_by(lambda: hf2mlx.convert(model)), "not_found", hf2mlx.NotFoundError, FileNotFoundError, OSError)
    assert is_one(raised_by(lambda: hf2mlx.convert("")), "usage", ValueError)


def test_the_hub_refuses_or_is_not_there(hf2mlx, hub, monkeypatch):
    assert is_one(raised_by(lambda: hf2mlx.download("org/none")), "not_found", hf2mlx.NotFoundError)
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    assert is_one(raised_by(lambda: hf2mlx.download(MODEL)), "auth", hf2mlx.AuthError, PermissionError, OSError)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert is_one(raised_by(lambda: hf2mlx.download(MODEL)), "network", hf2mlx.NetworkError, ConnectionError, OSError)


def test_models_that_cannot_be_converted(hf2mlx):
    shutil.copytree(SOURCE, "model")
    config = json.loads(Path("model/config.json").read_text())
    Path("model/config.json").write_text(json.dumps(config | {"model_type": "unheard_of"}))
    assert is_one(raised_by(lambda: hf2mlx.convert("model")), "unsupported", hf2mlx.UnsupportedError, ValueError)
    assert not hf2mlx.inspect("model").convertible
    Path("model/config.json").write_text(json.dumps(config | {"num_hidden_layers": 9}))
    assert is_one(raised_by(lambda: hf2mlx.convert("model")), "corrupt", hf2mlx.CorruptError, ValueError)


def test_every_code_of_the_library_has_an_exception(hf2mlx):
    from hf2mlx import _errors
    header = (Path(__file__).parents[2] / "src" / "base" / "error.cc").read_text()
    codes = [line.split('"')[1] for line in header.splitlines() if 'return "' in line]
    assert len(codes) >= 10 and set(codes) == set(_errors._BY_CODE)
    for code in codes:
        error = _errors.make_error(code, "--q-bits: 7 found", "try --not-a-parameter")
        assert isinstance(error, hf2mlx.Error) and error.code == code
        assert (str(error), error.hint) == ("q_bits: 7 found", "try --not-a-parameter")
    assert raised_by(lambda: (_ for _ in ()).throw(_errors.make_error("no_space", "x", ""))).errno == errno.ENOSPC


def test_they_can_be_pickled(hf2mlx):
    error = raised_by(lambda: hf2mlx.convert("nowhere"))
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), again.code, again.hint) == (type(error), str(error), "not_found", error.hint)
