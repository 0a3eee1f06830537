"""Times hf2mlx download beside hf download, from the same server of tests/support on loopback. Part of bench/run.py."""
import os
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
REPO = "bench/model"


@contextmanager
def serving(source, work):
    """The address of a hub that has the folder as a repository. A process of its own, which sends large files from the page cache."""
    port_file = work / "address"
    port_file.unlink(missing_ok=True)
    server = subprocess.Popen([sys.executable, ROOT / "tests" / "support" / "hub_server.py", "--port-file", port_file, f"{REPO}={source}"])
    try:
        while not port_file.exists():
            if server.poll() is not None:
                sys.exit("the server of the tests ended")
            time.sleep(0.05)
        yield port_file.read_text()
    finally:
        server.terminate()
        server.wait()


def environment(address, home):
    keep = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "HUGGING")) and not name.lower().endswith("_proxy")}
    return keep | {"HF_ENDPOINT": address, "HF_HOME": str(home), "HF_HUB_OFFLINE": "0", "HF_HUB_DISABLE_XET": "1",
                   "HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_UPDATE_CHECK": "1"}


def contenders(options):
    commands = {"hf2mlx": [options.program, "download", REPO, "--include", "*", "--quiet"]}
    if not options.no_reference:
        commands["hf download"] = [Path(sys.executable).parent / "hf", "download", REPO, "--quiet"]
    return commands


def snapshot_of(home):
    [snapshot] = (home / "hub").glob("models--*/snapshots/*")
    return snapshot


def check_same(home, source):
    files = {path.relative_to(source) for path in source.rglob("*") if path.is_file()}
    found = snapshot_of(home)
    different = [str(path) for path in files if subprocess.run(["cmp", "-s", source / path, found / path]).returncode != 0]
    if different:
        sys.exit(f"downloaded files differ: {different}")


def run_rounds(options, source, measure):
    """name -> list of (seconds, peak bytes)"""
    home = options.folder / "hub-home"
    commands = contenders(options)
    results = {name: [] for name in commands}
    with serving(source, options.folder) as address:
        for round_number in range(options.rounds):
            for name, command in commands.items():
                shutil.rmtree(home, ignore_errors=True)
                results[name].append(measure(command, environment(address, home)))
                if round_number == 0:
                    check_same(home, source)
            print(f"round {round_number + 1}: " + ", ".join(f"{name} {runs[-1][0]:.2f} s" for name, runs in results.items()), flush=True)
    shutil.rmtree(home, ignore_errors=True)
    return results
