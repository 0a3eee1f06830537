"""The same scripts with only the import changed: the same folders, and exceptions that the same `except` catches."""
import inspect
import os
import sys
from pathlib import Path

import oracle
import pytest
from conftest import SOURCE, run_checked

SCRIPT = Path(__file__).parent / "same_script.py"
FOLDERS = ("back", "mxfp8", "none", "nvfp4", "plain", "positional", "predicate", "q4", "recipe", "shapes", "stated", "stated-back")


@pytest.fixture(scope="module")
def pair(fresh, tmp_path_factory):
    """(what our script wrote, what the reference's wrote)"""
    folder = tmp_path_factory.mktemp("scripts")
    text = SCRIPT.read_text()
    assert text.count("from mlx_lm import convert\n") == 1
    (folder / "ours.py").write_text(text.replace("from mlx_lm import convert\n", "from hf2mlx import convert\n"))
    env = os.environ | {"HF_HUB_OFFLINE": "1"}
    fresh.run(folder / "ours.py", SOURCE, folder / "ours", env=env)
    run_checked(sys.executable, SCRIPT, SOURCE, folder / "theirs", env=env)
    return folder / "ours", folder / "theirs"


def test_the_same_folders_are_there(pair):
    assert [sorted(path.name for path in side.iterdir()) for side in pair] == [sorted(FOLDERS)] * 2


@pytest.mark.parametrize("name", FOLDERS)
def test_tensors_and_config_are_those_of_mlx_lm(pair, name):
    ours, theirs = (oracle.read_output(side / name) for side in pair)
    assert len(ours["tensors"]) >= 69
    assert list(oracle.differences(theirs, ours)) == []


@pytest.mark.parametrize("name", ["predicate", "stated", "shapes"])
def test_entries_of_a_predicate_are_exactly_those_of_mlx_lm(pair, name):
    ours, theirs = (oracle.read_output(side / name)["config"]["quantization"] for side in pair)
    assert ours == theirs


def test_the_parameters_are_those_of_mlx_lm(installed):
    from mlx_lm import convert
    theirs = inspect.signature(convert).parameters
    ours = inspect.signature(installed.convert).parameters
    assert list(ours)[:len(theirs)] == list(theirs)
    assert [ours[name].default for name in theirs] == [theirs[name].default for name in theirs]
    assert all(parameter.kind is parameter.KEYWORD_ONLY for name, parameter in ours.items() if name not in theirs)


def test_isinstance_holds_where_mlx_is_imported(installed, tmp_path):
    """As predicates in the wild ask."""
    import mlx.nn as nn
    from mlx_lm import convert

    def only_linear(path, module):
        return isinstance(module, nn.Linear) and not isinstance(module, nn.Embedding)

    installed.convert(SOURCE, tmp_path / "ours", quantize=True, quant_predicate=only_linear)
    convert(str(SOURCE), tmp_path / "theirs", quantize=True, quant_predicate=only_linear)
    ours, theirs = (oracle.read_output(tmp_path / side) for side in ("ours", "theirs"))
    assert "model.embed_tokens.scales" not in ours["tensors"] and "lm_head.scales" in ours["tensors"]
    assert list(oracle.differences(theirs, ours)) == []
