"""What the tests of the Python package share: a wheel of what HF2MLX_BUILD holds, installed alone in a fresh virtual environment.

Tests that look at how a script runs, run it there. Others import the installed package into this process.
"""
import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "examples" / "tiny-qwen3"
TOKEN = "hf_right"
MODEL = "GMLHUHE/PsyLLM"

sys.path[:0] = [str(ROOT / "tests" / "golden"), str(ROOT / "tests" / "support")]


def run_checked(*args, **options):
    done = subprocess.run([*map(str, args)], capture_output=True, text=True, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    run_checked(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-index", "--no-deps", "--no-build-isolation", "--wheel-dir", folder,
                "--config-settings", f"cmake.define.HF2MLX_PREBUILT={os.environ['HF2MLX_BUILD']}", ROOT)
    return next(folder.glob("*.whl"))


class Environment:
    """A virtual environment with the wheel and nothing else."""

    def __init__(self, folder, wheel):
        self.folder, self.python, self.program = folder, folder / "bin" / "python", folder / "bin" / "hf2mlx"
        run_checked(sys.executable, "-m", "venv", "--without-pip", folder)
        run_checked(sys.executable, "-m", "pip", "--python", self.python, "install", "--quiet", "--no-index", "--no-deps", wheel)
        self.packages = next(folder.glob("lib/python*/site-packages"))

    def run(self, *args, **options):
        return run_checked(self.python, *args, **options)


@pytest.fixture(scope="session")
def fresh(wheel, tmp_path_factory):
    return Environment(tmp_path_factory.mktemp("venv"), wheel)


@pytest.fixture(scope="session")
def installed(fresh):
    """The installed package, in this process."""
    sys.path.insert(0, str(fresh.packages))
    return importlib.import_module("hf2mlx")


@pytest.fixture(autouse=True)
def home(tmp_path_factory, monkeypatch):
    """An empty home, and no hub."""
    folder = tmp_path_factory.mktemp("home")
    for name in [*os.environ]:
        if name.startswith(("HF_", "HUGGING", "XDG_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    return folder


@pytest.fixture
def hf2mlx(installed, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return installed


@pytest.fixture
def hub(monkeypatch):
    """A hub on the loopback interface that has the example, as MODEL."""
    from hub_server import Hub
    with Hub(TOKEN) as server:
        server.add_folder(MODEL, SOURCE)
        monkeypatch.setenv("HF_ENDPOINT", server.address())
        monkeypatch.setenv("HF_HUB_OFFLINE", "0")
        yield server


@pytest.fixture
def printed(fresh):
    """What the program in the wheel prints with --json."""
    return lambda *args: json.loads(run_checked(fresh.program, *args, "--json"))


@pytest.fixture(scope="session")
def slow_model(tmp_path_factory):
    """A model whose embedding is 8 GB of nothing: the file is sparse."""
    import shutil
    folder = tmp_path_factory.mktemp("slow")
    for path in SOURCE.iterdir():
        if not path.name.startswith("model"):
            shutil.copy(path, folder)
    config = json.loads((SOURCE / "config.json").read_text())
    config |= {"vocab_size": 1 << 24, "num_hidden_layers": 0, "tie_word_embeddings": True}
    (folder / "config.json").write_text(json.dumps(config))
    size = (1 << 24) * 256 * 2
    header = json.dumps({"model.embed_tokens.weight": {"dtype": "BF16", "shape": [1 << 24, 256], "data_offsets": [0, size]},
                         "model.norm.weight": {"dtype": "BF16", "shape": [256], "data_offsets": [size, size + 512]}}).encode()
    with open(folder / "model.safetensors", "wb") as file:
        file.write(len(header).to_bytes(8, "little") + header)
        file.truncate(8 + len(header) + size + 512)
    return folder
