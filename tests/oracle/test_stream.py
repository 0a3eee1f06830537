"""Conversions of models that stay at the hub: the same bytes as those of a downloaded model, with little of anything stored or kept."""
import json
import os
import random
import signal
import struct
import subprocess
import sys
import time

import numpy as np
import pytest
from conftest import ROOT
from hub_homes import REPO
from hub_server import Fault
from stream_models import (LARGE, SMALL_MEMORY, WINDOW, asked_bytes, columns, content_of, expected, experts, left_overs, other_bytes, qwen3,
                           repo_of, safetensors, stream, tiny, weight_bytes)

MODELS = {"four-files": tiny, "experts": lambda _: experts(), "columns": lambda _: columns(), "one-file": lambda _: repo_of(*qwen3(256, 12))}


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("args", [["-q"], []], ids=["q4", "plain"])
def test_same_as_of_the_downloaded_model(hub, homes, source, model, args):
    files = MODELS[model](source)
    hub.add(REPO, files)
    home = homes("home")
    report = stream(home, *args, *SMALL_MEMORY)
    headers = asked_bytes(hub) - weight_bytes(files)
    assert 0 <= headers <= (64 << 10) * len([name for name in files if name.endswith(LARGE)])  # and nothing else twice
    assert report["received_bytes"] <= weight_bytes(files) + headers + 2 * other_bytes(files) + 20_000
    assert report["source"] == REPO and report["files"]
    assert not home.hub_cache.exists() and not left_overs(home)
    assert content_of(home.folder / "out") == expected(homes, *args)


def test_several_at_once_and_any_number_of_threads(hub, homes):
    hub.add(REPO, experts())
    home, other = homes("home"), homes("other")
    home.ours("convert", REPO, home.folder / "out", "--stream", "-q", "--q-bits", "4,8", "--quiet", *SMALL_MEMORY, "--threads", "1")
    other.ours("convert", REPO, other.folder / "out", "--stream", "-q", "--q-bits", "4,8", "--quiet", "--threads", "5")
    for name in ("out-4bit", "out-8bit"):
        assert content_of(home.folder / name) == content_of(other.folder / name)
    ours, alone = content_of(home.folder / "out-8bit"), expected(homes, "-q", "--q-bits", "8")
    assert ours.pop("README.md") and alone.pop("README.md")  # which names the folder
    assert ours == alone


def test_weights_in_git_itself(hub, homes, source):
    hub.add(REPO, tiny(source), large=lambda path: path.endswith("4.safetensors"))
    home = homes("home")
    stream(home, "-q")
    assert content_of(home.folder / "out") == expected(homes, "-q")


def far_scales(homes, source):
    """A quantized model whose scales lie behind all weights, as files sorted by the size of their values have it."""
    from safetensors import safe_open
    home = homes("quantized")
    home.ours("convert", source, home.folder / "out", "-q", "--quiet")
    with safe_open(home.folder / "out" / "model.safetensors", "np") as file:
        names = list(file.keys())
        tensors = {name: file.get_tensor(name) if file.get_slice(name).get_dtype() == "U32" else None for name in names}
    raw = (home.folder / "out" / "model.safetensors").read_bytes()
    size = struct.unpack("<Q", raw[:8])[0]
    header = json.loads(raw[8:8 + size])
    for name in names:
        begin, end = (8 + size + at for at in header[name]["data_offsets"])
        if tensors[name] is None:
            tensors[name] = np.frombuffer(raw[begin:end], np.uint16).reshape(header[name]["shape"])
    ordered = dict(sorted(tensors.items(), key=lambda item: (item[1].dtype.name != "uint32", item[0])))
    files = {path.name: path.read_bytes() for path in (home.folder / "out").iterdir()}
    files.pop("model.safetensors.index.json")
    return files | {"model.safetensors": safetensors(ordered)}


def test_what_lies_far_apart_is_fetched_again(hub, homes, source):
    files = far_scales(homes, source)
    hub.add(REPO, files)
    home = homes("home")
    report = stream(home, "-q", "--requantize", "--q-bits", "3", *SMALL_MEMORY)
    assert report["received_bytes"] >= asked_bytes(hub), "what comes twice is counted twice"
    # The first layer needs scales that are not there yet; how many later ones do depends on which thread is ahead.
    assert weight_bytes(files) + WINDOW <= asked_bytes(hub) < 2 * weight_bytes(files)
    assert content_of(home.folder / "out") == expected(homes, "-q", "--requantize", "--q-bits", "3")


FAULTS = {
    "cut": [Fault(LARGE, cut=100_000)],
    "cut-often": [Fault(LARGE, cut=30_000, times=40)],
    "short": [Fault(LARGE, short=50_000)],
    "429": [Fault(LARGE, status=429, headers={"Retry-After": "1"}, times=2)],
    "429-of-the-hub": [Fault("/resolve/", where="hub", status=429, headers={"Retry-After": "1"})],
    "5xx": [Fault(LARGE, status=503, times=2), Fault(LARGE, status=500)],
    "expired-address": [Fault(LARGE, status=403, times=2)],
    "cut-index": [Fault("index.json", where="hub", cut=100)],
    "cut-config": [Fault("/config.json", where="hub", cut=10, times=2)],
    "no-answer": [Fault("/tree/", where="hub", hang_up=True), Fault("/config.json", where="hub", hang_up=True),
                  Fault("00001-of", hang_up=True, times=2)],
}


@pytest.fixture(scope="module")
def converted(source, tmp_path_factory):
    """Our conversion of the example from its folder; only its weights are compared."""
    from conftest import run_program
    out = tmp_path_factory.mktemp("converted") / "out"
    run_program("convert", source, out, "-q", "--quiet")
    return (out / "model.safetensors").read_bytes()


@pytest.mark.parametrize("name", FAULTS)
def test_faults_that_pass(hub, homes, source, converted, name):
    hub.add(REPO, tiny(source))
    hub.faults[:] = [Fault(**vars(fault)) for fault in FAULTS[name]]
    home = homes("home")
    stream(home, "-q", *SMALL_MEMORY)
    assert all(fault.times == 0 for fault in hub.faults if fault.short < 0)
    assert (home.folder / "out" / "model.safetensors").read_bytes() == converted


def refused(home, status, *args):
    text = home.ours("convert", REPO, home.folder / "out", "--stream", "-q", "--quiet", *SMALL_MEMORY, *args, status=status)
    assert not (home.folder / "out").exists()
    return text


def test_server_without_ranges_is_refused(hub, homes, source):
    hub.add(REPO, tiny(source))
    hub.faults.append(Fault(LARGE, no_range=True, times=1000))
    home = homes("home")
    text = refused(home, 4)
    assert "sends only the whole file" in text and f"hf2mlx download {REPO}" in text
    assert not left_overs(home)


@pytest.mark.parametrize("offset", [20, 2_000_000], ids=["header", "data"])
def test_wrong_content_is_an_error_and_nothing_appears(hub, homes, source, offset):
    hub.add(REPO, tiny(source))
    hub.faults.append(Fault("00002-of-00004", flip=offset, times=1000))
    home = homes("home")
    text = refused(home, 5)
    if offset > 1000:
        assert "model-00002-of-00004.safetensors: the checksum is wrong: expected" in text
    assert not left_overs(home)
    hub.faults.clear()
    stream(home, "-q")


def test_wrong_side_file_is_an_error(hub, homes, source):
    hub.add(REPO, tiny(source))
    hub.faults.append(Fault("config.json", where="hub", flip=5, times=1000))
    assert "the checksum is wrong" in refused(homes("home"), 5)


def test_new_etag_is_an_error(hub, homes, source):
    """The address of the storage expires while the model is streamed, and the hub has another content by then."""
    hub.add(REPO, tiny(source))
    hub.faults += [Fault("/resolve/", where="hub", times=0, etag="0" * 64)]
    home = homes("home")
    hub.faults[0].times = 1000
    hub.faults[0].match = "00003-of-00004"
    assert "its list of files says" in refused(home, 5)
    assert not left_overs(home)


def test_content_that_changes_between_header_and_weights(hub, homes, source):
    hub.add(REPO, tiny(source))
    sha256 = hub.repos[REPO][0].etag("model-00002-of-00004.safetensors")
    path, content = hub.storage[sha256]
    home = homes("home")

    class Changing(dict):
        gets = 0

        def get(self, key, otherwise=None):
            self.gets += key == sha256
            return (path, content[:-1] + b"\0") if key == sha256 and self.gets > 1 else super().get(key, otherwise)
    hub.storage = Changing(hub.storage)
    assert "00002-of-00004.safetensors: the checksum is wrong" in refused(home, 5)


# Interrupted runs.


def start(home, *args):
    return home.start_ours("convert", REPO, home.folder / "out", "--stream", "-q", "--quiet", *SMALL_MEMORY, *args)


def end_after(hub, home, count, how, *args):
    """When the hub has sent so many bytes."""
    hub.faults[:] = [Fault(LARGE, pause=0.02, times=100_000)]
    had = hub.sent_bytes
    run = start(home, *args)
    deadline = time.monotonic() + 60
    while run.poll() is None and hub.sent_bytes - had < count:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    run.send_signal(how)
    assert run.wait() == {signal.SIGKILL: -signal.SIGKILL, signal.SIGTERM: 130}[how]
    hub.faults.clear()


def test_killed_runs_go_on_where_they_ended(hub, homes):
    """Twenty times at random moments. Of each run, what eight connections were at comes again, and the headers."""
    files, rng, kills = experts(), random.Random(5), 20
    hub.add(REPO, files)
    home = homes("home")
    for _ in range(kills):
        end_after(hub, home, rng.randrange(weight_bytes(files) // 8), signal.SIGKILL)
        assert len(left_overs(home)) <= 1
    had = asked_bytes(hub)
    stream(home, "-q", *SMALL_MEMORY)
    assert asked_bytes(hub) - had < weight_bytes(files)
    assert asked_bytes(hub) <= weight_bytes(files) + kills * 8 * WINDOW + (kills + 1) * 3 * (64 << 10)
    assert content_of(home.folder / "out") == expected(homes, "-q")
    assert not left_overs(home)


def test_interrupted_runs_say_where_what_is_finished_is(hub, homes):
    files = experts()
    hub.add(REPO, files)
    home = homes("home")
    end_after(hub, home, weight_bytes(files) // 2, signal.SIGTERM)
    [left] = left_overs(home)
    had = asked_bytes(hub)
    stream(home, "-q", *SMALL_MEMORY, "--threads", "3")
    assert asked_bytes(hub) - had < weight_bytes(files) * 3 // 4
    assert content_of(home.folder / "out") == expected(homes, "-q")
    assert not left.exists()


def test_output_that_was_lost_is_made_again(hub, homes):
    """As after a power cut: the journal says that blocks are written, and the disk has zeros."""
    files = experts()
    hub.add(REPO, files)
    home = homes("home")
    end_after(hub, home, weight_bytes(files) // 2, signal.SIGKILL)
    [left] = left_overs(home)
    with open(left / "model.safetensors", "r+b") as file:
        file.seek(200_000)
        file.write(bytes(500_000))
    stream(home, "-q", *SMALL_MEMORY)
    assert content_of(home.folder / "out") == expected(homes, "-q")


@pytest.mark.parametrize("change", ["options", "commit"])
def test_what_does_not_fit_is_begun_anew(hub, homes, change):
    files = experts()
    hub.add(REPO, files)
    home = homes("home")
    end_after(hub, home, weight_bytes(files) // 2, signal.SIGKILL)
    [left] = left_overs(home)
    args = ["-q", "--q-bits", "8"] if change == "options" else ["-q"]
    if change == "commit":
        hub.add(REPO, files | {"README.md": b"# B\n"})
    had = asked_bytes(hub)
    stream(home, *args, *SMALL_MEMORY)
    assert asked_bytes(hub) - had >= weight_bytes(files)
    assert not left_overs(home)
    assert content_of(home.folder / "out") == expected(homes, *args)


def test_other_runs_for_the_target_leave_it_until_they_have_made_it(hub, homes, source):
    files = experts()
    hub.add(REPO, files)
    home = homes("home")
    end_after(hub, home, weight_bytes(files) // 2, signal.SIGKILL)
    home.ours("convert", home.folder / "nothing", home.folder / "out", status=3)
    assert len(left_overs(home)) == 1
    home.ours("convert", source, home.folder / "out", "--quiet")
    assert not left_overs(home)


def test_of_two_at_once_the_later_is_refused(hub, homes):
    files = experts()
    hub.add(REPO, files)
    home = homes("home")
    hub.faults[:] = [slow := Fault(LARGE, pause=0.5, times=100_000)]
    run = start(home)
    deadline = time.monotonic() + 60
    while not left_overs(home):
        assert run.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)
    had = len(hub.requests("storage"))
    for args in (["--stream", "-q"], ["-q"], ["--stream", "--force"]):
        text = home.ours("convert", REPO, home.folder / "out", *args, status=2)
        assert "out: another conversion is writing it" in text and str(left_overs(home)[0]) in text
    assert len(left_overs(home)) == 1 and not home.hub_cache.exists()
    slow.pause = 0
    assert run.wait() == 0
    assert had > 0 and content_of(home.folder / "out") == expected(homes, "-q") and not left_overs(home)


def test_a_target_that_appears_meanwhile_is_kept_and_so_is_the_work(hub, homes):
    files = experts()
    hub.add(REPO, files)
    home = homes("home")
    hub.faults[:] = [slow := Fault(LARGE, pause=0.5, times=100_000)]
    run = subprocess.Popen([os.environ["HF2MLX"], "convert", REPO, str(home.folder / "out"), "--stream", "-q", *SMALL_MEMORY], env=home.env,
                           stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not left_overs(home):
        assert run.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)
    (home.folder / "out").mkdir()
    (home.folder / "out" / "precious").touch()
    slow.pause = 0
    text = run.communicate()[1]
    [left] = left_overs(home)
    assert run.returncode == 2 and "already exists" in text and str(left) in text
    assert (home.folder / "out" / "precious").exists()
    had = asked_bytes(hub)
    stream(home, "-q", "--force", *SMALL_MEMORY)
    assert asked_bytes(hub) - had < weight_bytes(files) / 4
    assert content_of(home.folder / "out") == expected(homes, "-q") and not left_overs(home)


# What it takes.


def disk_usage(folder):
    return sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.is_file()) if folder.exists() else 0


def test_the_disk_never_holds_the_source(hub, homes):
    files = repo_of(*qwen3(512, 8))
    hub.add(REPO, files)
    home = homes("home")
    hub.faults[:] = [Fault(LARGE, pause=0.001, times=100_000)]
    run = start(home)
    most = 0
    while run.poll() is None:
        try:
            most = max(most, disk_usage(home.folder))
        except FileNotFoundError:
            continue  # renamed or removed just then
        time.sleep(0.01)
    assert run.wait() == 0
    assert (weight_bytes(files) / 4) < most < disk_usage(home.folder / "out") + 300_000


def test_memory_does_not_depend_on_the_model(hub, homes, tmp_path):
    sys.path.append(str(ROOT / "bench"))
    from make_model import make
    assert make(tmp_path / "model", "qwen3-0.6b:2") > 300_000_000
    hub.add_folder(REPO, tmp_path / "model")
    home = homes("home")
    threads = 2
    command = [os.environ["HF2MLX"], "convert", REPO, str(home.folder / "out"), "--stream", "-q", "--quiet", "--threads", str(threads)]
    done = subprocess.run([sys.executable, "-S", "-E", ROOT / "bench" / "measure.py", *command], env=home.env, capture_output=True, text=True)
    assert done.returncode == 0
    assert int(done.stdout.split()[1]) <= (64 + 8 * threads) * 10**6


# Headers alone.


def test_inspect_and_plan_read_headers(hub, homes, source):
    hub.add(REPO, tiny(source))
    home = homes("home")
    inspection = json.loads(home.ours("inspect", REPO, "--json"))
    local = json.loads(home.ours("inspect", source, "--json"))
    assert {key: inspection[key] for key in ("sizes", "parameters", "dtypes", "convertible")} == {
        key: local[key] for key in ("sizes", "parameters", "dtypes", "convertible")}
    assert [tensor["name"] for tensor in inspection["tensors"]] == [tensor["name"] for tensor in local["tensors"]]
    assert 10_000 < inspection["received_bytes"] < 150_000
    assert "kB received" in home.ours("inspect", REPO)
    planned = json.loads(home.ours("convert", REPO, "-q", "--dry-run", "--json"))
    assert planned["tensors"] == json.loads(home.ours("plan", source, "-q", "--json"))["tensors"]
    assert planned["received_bytes"] < 150_000
    assert not home.hub_cache.exists()
    hub.log.clear()
    home.ours("inspect", REPO, status=3, HF_HUB_OFFLINE="1")
    assert hub.log == []
    assert "are not here" in home.ours("plan", REPO, "--target-bpw", "4.5", "--quiet", status=2)


MODEL_FILES = {".gitattributes": 1570, "LICENSE": 11_343, "README.md": 16_660, "generation_config.json": None, "merges.txt": 1_671_853,
               "tokenizer.json": 11_422_654, "tokenizer_config.json": None, "vocab.json": 2_776_833}  # sizes of Qwen3-8B's; None: ours will do


def sixteen_gigabytes(folder):
    """Qwen3-8B as it is published, but that its weights are zeros, which take no room on the disk, and their hashes made up."""
    sys.path.append(str(ROOT / "bench"))
    from make_model import Zeros, make
    assert make(folder, "qwen3-8b", Zeros()) == 16_381_470_720
    for name, size in MODEL_FILES.items():
        if size:
            (folder / name).write_bytes(b"#" * size)
    return {path.name: f"{i:064x}" for i, path in enumerate(folder.glob("*.safetensors"))}


def test_what_a_server_sends_of_sixteen_gigabytes(hub, homes, tmp_path):
    known = sixteen_gigabytes(tmp_path / "model")
    hub.add_folder(REPO, tmp_path / "model", known=known)
    home = homes("home")
    for command in (["inspect", REPO], ["plan", REPO, "-q"], ["convert", REPO, "-q", "--dry-run"]):
        before = hub.sent_bytes
        report = json.loads(home.ours(*command, "--json"))
        assert report["parameters"] == 8_190_735_360 and report["source_bytes"] == 16_381_470_720
        sent = hub.sent_bytes - before
        assert 100_000 < sent < 150_000, "docs/streaming.md has the number"
        assert 0.9 * sent < report["received_bytes"] <= sent  # which counts no HTTP headers
    assert disk_usage(home.folder) == 0


def test_a_header_that_is_longer_than_expected(hub, homes):
    hub.add(REPO, repo_of(*qwen3(64, 80)))
    home = homes("home")
    inspection = json.loads(home.ours("inspect", REPO, "--json"))
    assert inspection["convertible"] and len(inspection["tensors"]) == 11 * 80 + 2
    assert len(hub.requests("storage")) == 2
    stream(home, "-q", *SMALL_MEMORY)
    assert content_of(home.folder / "out") == expected(homes, "-q")


def test_what_is_here_is_not_streamed(hub, homes, source):
    hub.add(REPO, tiny(source))
    home = homes("home")
    home.download()
    hub.log.clear()
    report = stream(home, "-q")
    assert hub.log == [] and "received_bytes" not in report
    assert any("nothing is streamed" in note for note in report["notes"])
