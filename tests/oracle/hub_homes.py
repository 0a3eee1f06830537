"""What the tests of the hub client share: a machine with our client and the real one, and what is compared afterwards."""
import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

REPO = "org/model"
LARGE = "model.safetensors"
TOKEN = "hf_right"


def small_repo(seed=1, size=200_000):
    content = random.Random(seed).randbytes(size)
    return {".gitattributes": b"x", "README.md": b"# A\n", "config.json": b'{"model_type": "qwen3"}', "empty.txt": b"", LARGE: content,
            "tokenizer.json": b"{}", "sub/folder/caf\u00e9 #1.txt": b"deep", "copy of empty.txt": b"", "copy.json": b"{}",
            "original/consolidated.pth": b"unneeded", "pytorch_model.bin": b"unneeded"}


class Home:
    """One user's machine: its environment, and both clients in it."""

    def __init__(self, folder, hub):
        self.folder, self.hub_cache = folder, folder / "hub"
        keep = {k: v for k, v in os.environ.items() if not k.startswith(("HF_", "HUGGING")) and not k.lower().endswith("_proxy")}
        self.env = keep | {"HF_ENDPOINT": hub.address(), "HF_HOME": str(folder), "HF_HUB_OFFLINE": "0", "HF_HUB_DISABLE_XET": "1",
                           "HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_DOWNLOAD_TIMEOUT": "30", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}

    def ours(self, *args, status=0, **env):
        done = subprocess.run([os.environ["HF2MLX"], *map(str, args)], env=self.env | env, capture_output=True, text=True)
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout if status == 0 else done.stderr

    def start_ours(self, *args):
        return subprocess.Popen([os.environ["HF2MLX"], *map(str, args)], env=self.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def download(self, *args, **env):
        return json.loads(self.ours("download", REPO, "--json", *args, **env))

    def run_hf(self, *args):
        done = subprocess.run([Path(sys.executable).parent / "hf", *map(str, args)], env=self.env, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr

    def theirs(self, call, **env):
        """The value of a Python expression, as text."""
        code = f"import huggingface_hub as h, os\nprint({call})"
        done = subprocess.run([sys.executable, "-c", code], env=self.env | env, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


def listing(folder):
    """Path -> what is there: a link and where to, or the rights and the content. Times in metadata are left out, and the
    rights of lists of files, which the real client keeps to their owner even in a cache that others may read."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            found[name] = "-> " + os.readlink(path)
        elif path.is_dir():
            found[name] = "folder"
        else:
            content = path.read_bytes()
            if name.endswith(".metadata"):
                *known, seconds = content.split()
                assert abs(float(seconds) - time.time()) < 1000 and content.endswith(b"\n")
                content = b"\n".join(known)
            found[name] = ("trees/" not in name and oct(path.stat().st_mode), content)
    return found
