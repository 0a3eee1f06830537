"""What the tests of this folder share: the program, the real mlx_lm, and one conversion by each for every variant.

HF2MLX names the program. Conversions are made once for all tests.
"""
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "examples" / "tiny-qwen3"
VARIANTS = {
    "plain": [],
    "q4": ["-q"],
    "mxfp4": ["-q", "--q-mode", "mxfp4"],
    "mixed_4_6": ["-q", "--quant-predicate", "mixed_4_6", "--q-group-size", "64"],
}

sys.path[:0] = [str(ROOT / "tests" / "golden"), str(ROOT / "tests" / "support")]
os.environ["HF_HUB_OFFLINE"] = "1"


def run_program(*args):
    return subprocess.run([os.environ["HF2MLX"], *map(str, args)], check=True, capture_output=True, text=True)


@pytest.fixture(scope="session")
def source():
    return SOURCE


@pytest.fixture(scope="session", params=VARIANTS)
def pair(request, tmp_path_factory):
    """(our output, the reference's output) of one variant."""
    import oracle
    args = VARIANTS[request.param]
    folder = tmp_path_factory.mktemp(request.param)
    run_program("convert", SOURCE, folder / "ours", *args)
    oracle.run_reference(SOURCE, folder / "theirs", args)
    return folder / "ours", folder / "theirs"


@pytest.fixture
def hub():
    """A Hugging Face hub on loopback."""
    from hub_homes import TOKEN
    from hub_server import Hub
    with Hub(TOKEN) as server:
        yield server


@pytest.fixture
def homes(hub, tmp_path):
    """Makes machines of that hub's users, by name."""
    from hub_homes import Home

    def make(name):
        (tmp_path / name).mkdir(exist_ok=True)
        return Home(tmp_path / name, hub)
    return make
