"""Our hub client beside the real huggingface_hub, at the hub of tests/support: both caches, each other's caches, and what may go wrong."""
import json
import os
import random
import re
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import ROOT, SOURCE

sys.path.insert(0, str(ROOT / "tests" / "support"))
from hub_server import Fault, Hub  # noqa: E402

REPO = "org/model"
LARGE = "model.safetensors"
TOKEN = "hf_right"


def small_repo(seed=1, size=200_000):
    content = random.Random(seed).randbytes(size)
    return {".gitattributes": b"x", "README.md": b"# A\n", "config.json": b'{"model_type": "qwen3"}', "empty.txt": b"", LARGE: content,
            "tokenizer.json": b"{}", "sub/folder/caf\u00e9 #1.txt": b"deep", "copy of empty.txt": b"", "copy.json": b"{}",
            "original/consolidated.pth": b"unneeded", "pytorch_model.bin": b"unneeded"}


@pytest.fixture
def hub():
    with Hub(TOKEN) as server:
        yield server


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


@pytest.fixture
def homes(hub, tmp_path):
    def make(name):
        (tmp_path / name).mkdir(exist_ok=True)
        return Home(tmp_path / name, hub)
    return make


def listing(folder, forget=()):
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


@pytest.mark.parametrize("revision", ["main", "v1.0", "refs/pr/1", "COMMIT"])
def test_caches_are_the_same(hub, homes, revision):
    repo = hub.add(REPO, small_repo())
    repo.refs |= {"v1.0": repo.commit, "refs/pr/1": repo.commit}
    revision = repo.commit if revision == "COMMIT" else revision
    ours, theirs = homes("ours"), homes("theirs")
    report = ours.download("--include", "*", "--revision", revision)
    folder = theirs.theirs(f"h.snapshot_download({REPO!r}, revision={revision!r})")
    assert listing(ours.hub_cache) == listing(theirs.hub_cache)
    assert Path(report["folder"]).relative_to(ours.hub_cache) == Path(folder).relative_to(theirs.hub_cache)
    assert len(listing(Path(folder))) == len(small_repo()) + 3  # with the folders


def test_local_folders_are_the_same(hub, homes):
    hub.add(REPO, small_repo())
    ours, theirs = homes("ours"), homes("theirs")
    ours.download("--include", "*", "--local-dir", ours.folder / "local", "--local-dir-use-symlinks", "False")
    theirs.theirs(f"h.snapshot_download({REPO!r}, local_dir={str(theirs.folder / 'local')!r})")
    assert listing(ours.folder / "local") == listing(theirs.folder / "local")
    assert listing(ours.hub_cache) == listing(theirs.hub_cache)


def test_patterns_mean_the_same(hub, homes):
    hub.add(REPO, small_repo())
    ours, theirs = homes("ours"), homes("theirs")
    ours.download("--include", "*.json", "--include", "sub/", "--exclude", "conf*")
    theirs.theirs(f"h.snapshot_download({REPO!r}, allow_patterns=['*.json', 'sub/'], ignore_patterns=['conf*'])")
    assert listing(ours.hub_cache) == listing(theirs.hub_cache)


def test_they_use_our_cache_without_another_byte(hub, homes):
    hub.add(REPO, small_repo())
    home = homes("home")
    folder = home.download("--include", "*")["folder"]
    assert home.theirs(f"h.snapshot_download({REPO!r})", HF_HUB_OFFLINE="1") == folder
    hub.log.clear()
    assert home.theirs(f"h.snapshot_download({REPO!r})") == folder
    assert [request["path"] for request in hub.log] == [f"/api/models/{REPO}/revision/main"]


def test_we_use_their_cache_without_another_byte(hub, homes):
    hub.add(REPO, small_repo())
    home = homes("home")
    folder = home.theirs(f"h.snapshot_download({REPO!r})")
    before = listing(home.hub_cache)
    hub.log.clear()
    assert home.download(HF_HUB_OFFLINE="1")["folder"] == folder
    assert hub.log == []
    report = home.download()
    assert (report["folder"], report["received_bytes"]) == (folder, 0)
    assert [request["path"] for request in hub.log] == [f"/api/models/{REPO}/revision/main"]
    assert listing(home.hub_cache) == before


def test_each_completes_what_the_other_began(hub, homes):
    hub.add(REPO, small_repo())
    home, whole = homes("home"), homes("whole")
    home.theirs(f"h.hf_hub_download({REPO!r}, 'config.json')")
    home.download("--include", "*.json")
    home.theirs(f"h.snapshot_download({REPO!r}, allow_patterns=['R*'])")
    home.download("--include", "*")
    whole.theirs(f"h.snapshot_download({REPO!r})")
    assert listing(home.hub_cache) == listing(whole.hub_cache)
    assert len(hub.requests("storage", LARGE)) == 2  # one for each home


def test_they_see_our_local_folder_as_complete_and_we_theirs(hub, homes):
    hub.add(REPO, small_repo())
    ours, theirs = homes("ours"), homes("theirs")
    ours.download("--include", "*", "--local-dir", ours.folder / "local")
    theirs.theirs(f"h.snapshot_download({REPO!r}, local_dir={str(theirs.folder / 'local')!r})")
    hub.log.clear()
    ours.theirs(f"h.snapshot_download({REPO!r}, local_dir={str(ours.folder / 'local')!r})")
    assert theirs.download("--include", "*", "--local-dir", theirs.folder / "local")["received_bytes"] == 0
    assert not [request for request in hub.log if "/resolve/" in request["path"] or request["where"] == "storage"]


def test_local_folder_is_filled_from_the_cache(hub, homes):
    hub.add(REPO, small_repo())
    home = homes("home")
    home.download()
    hub.log.clear()
    report = home.download("--local-dir", home.folder / "local")
    assert report["received_bytes"] == 0
    assert (home.folder / "local" / LARGE).read_bytes() == small_repo()[LARGE]
    assert not hub.requests("storage")


def test_only_what_a_conversion_needs(hub, homes):
    hub.add(REPO, small_repo())
    report = homes("home").download()
    left_out = {".gitattributes", "original/consolidated.pth", "pytorch_model.bin"}
    assert {file["path"] for file in report["files"]} == set(small_repo()) - left_out


def test_convert_downloads_what_is_not_there(hub, homes, source):
    hub.add_folder(REPO, source)
    home = homes("home")
    home.ours("convert", REPO, home.folder / "out", "-q")
    home.ours("convert", source, home.folder / "expected", "-q")
    assert (home.folder / "out" / LARGE).read_bytes() == (home.folder / "expected" / LARGE).read_bytes()
    hub.log.clear()
    home.ours("convert", REPO, home.folder / "again", "-q")
    assert hub.log == []
    loads = "__import__('transformers').AutoTokenizer.from_pretrained('org/model')('import os')['input_ids'] != []"
    assert home.theirs(loads, HF_HUB_OFFLINE="1") == "True"


def test_convert_completes_an_interrupted_download(hub, homes, source):
    hub.add_folder(REPO, source)
    home = homes("home")
    home.download("--include", "*.safetensors", "--include", "config.json")
    home.ours("convert", REPO, home.folder / "out")
    assert (home.folder / "out" / "tokenizer.json").exists()


def test_convert_refuses_a_taken_target_before_it_downloads(hub, homes, source):
    hub.add_folder(REPO, source)
    home = homes("home")
    (home.folder / "out").mkdir()
    assert "already exists" in home.ours("convert", REPO, home.folder / "out", status=2)
    assert hub.log == []


def test_local_folder_then_convert(hub, homes, source):
    """As documents have it: download to a folder, links or not, then convert that folder."""
    hub.add_folder(REPO, source)
    home = homes("home")
    local, out = home.folder / "model", home.folder / "out"
    home.ours("download", REPO, "--local-dir-use-symlinks", "False", "--local-dir", local)
    assert not [path for path in local.rglob("*") if path.is_symlink()]
    out.mkdir()
    (out / "old").touch()
    home.ours("convert", "--source", local, "--output", out, "--force", "--quantize", HF_HUB_OFFLINE="1")
    home.ours("convert", source, home.folder / "expected", "-q")
    assert (out / LARGE).read_bytes() == (home.folder / "expected" / LARGE).read_bytes()
    assert not (out / "old").exists() and not (out / ".cache").exists()
    hub.log.clear()
    home.run_hf("download", REPO, "--local-dir", local)
    assert not [request for request in hub.log if "/resolve/" in request["path"] or request["where"] == "storage"]


def test_transformers_loads_our_cache_offline(hub, homes, source):
    hub.add_folder(REPO, source)
    home = homes("home")
    home.download()
    for name in ("AutoConfig", "AutoTokenizer", "GenerationConfig"):
        load = f"type(__import__('transformers').{name}.from_pretrained({REPO!r})).__name__ != ''"
        assert home.theirs(load, HF_HUB_OFFLINE="1") == "True"


def test_convert_into_lm_studio(hub, homes, source):
    hub.add_folder(REPO, source)
    home = homes("home")
    home.ours("convert", REPO, "-q", "--lm-studio", HOME=str(home.folder))
    assert (home.folder / ".lmstudio/models/org/model-MLX" / LARGE).exists()


def test_dry_run_says_what_would_be_done(hub, homes):
    hub.add(REPO, small_repo())
    home = homes("home")
    report = home.download("--dry-run")
    assert report["received_bytes"] == report["total_bytes"] == sum(file["size_bytes"] for file in report["files"])
    assert not home.hub_cache.exists()
    assert not hub.requests("storage")


def test_output_for_people_and_scripts(hub, homes):
    hub.add(REPO, small_repo())
    home = homes("home")
    out = home.ours("download", REPO, "--quiet")
    assert out == home.ours("download", REPO) == home.download()["folder"] + "\n"


# Tokens and errors.

def test_token_goes_to_the_hub_alone(hub, homes):
    hub.add(REPO, small_repo(), private=True)
    home = homes("home")
    (home.folder / "token").write_text(f"  {TOKEN}\n")
    home.download()
    assert {request["headers"].get("Authorization") for request in hub.requests("hub")} == {f"Bearer {TOKEN}"}
    assert {request["headers"].get("Authorization") for request in hub.requests("storage")} == {None}


# Where a variable sends us, it sends them too.
ENVIRONMENTS = {
    "HF_HOME": lambda folder, hub: ({"HF_HOME": f"{folder}/elsewhere"}, "elsewhere/hub"),
    "HF_HUB_CACHE": lambda folder, hub: ({"HF_HUB_CACHE": "$HF_HOME/elsewhere"}, "elsewhere"),
    "XDG_CACHE_HOME": lambda folder, hub: ({"HF_HOME": None, "XDG_CACHE_HOME": f"{folder}/xdg"}, "xdg/huggingface/hub"),
    "HF_TOKEN": lambda folder, hub: ({"HF_TOKEN": f" {TOKEN}\n"}, "hub"),
    "HF_TOKEN_PATH": lambda folder, hub: ({"HF_TOKEN_PATH": "~/my-token", "HOME": str(folder)}, "hub"),
    "http_proxy": lambda folder, hub: ({"HF_ENDPOINT": "http://hub.invalid", "http_proxy": hub.address(), "no_proxy": "127.0.0.1"}, "hub"),
    "no_proxy": lambda folder, hub: ({"http_proxy": "http://127.0.0.1:9", "no_proxy": "127.0.0.1"}, "hub"),
    "endpoint-slash": lambda folder, hub: ({"HF_ENDPOINT": hub.address() + "/"}, "hub"),
}


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_environment_means_the_same(hub, homes, name):
    private = "TOKEN" in name
    hub.add(REPO, {"config.json": b"{}", LARGE: b"x"}, private=private)
    found = []
    for home in homes("ours"), homes("theirs"):
        (home.folder / "my-token").write_text(TOKEN)
        env, cache = ENVIRONMENTS[name](home.folder, hub)
        home.env = {key: value for key, value in (home.env | env).items() if value is not None}
        if home.folder.name == "ours":
            home.download()
        else:
            home.theirs(f"h.snapshot_download({REPO!r})")
        found.append(listing(home.folder / cache))
    assert found[0] == found[1] and len(found[0]) > 10


ERRORS = {
    "unknown": (["org/none"], {}, 3, "no such repository", "check the name"),
    "private": (["org/private"], {}, 3, "or a private one", "set HF_TOKEN"),
    "revision": ([REPO, "--revision", "v9"], {}, 3, "no revision v9", "tree/main"),
    "refused": ([REPO], {"HF_TOKEN": "hf_wrong"}, 9, "the token is refused", "settings/tokens"),
    "gated": (["org/gated"], {}, 9, "grants access one by one", "/org/gated"),
    "gated-with-token": (["org/gated"], {"HF_TOKEN": TOKEN}, 9, "grants access one by one", "/org/gated"),
    "offline": ([REPO], {"HF_HUB_OFFLINE": "1"}, 3, "offline", "HF_HUB_OFFLINE"),
    "unreachable": ([REPO], {"HF_ENDPOINT": "http://127.0.0.1:9"}, 8, "cannot be reached", "proxy"),
    "no-weights": (["org/bin"], {}, 4, "no model*.safetensors", "--include"),
    "bad-name": (["org/../x"], {}, 2, "cannot be the name", "org/name"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors_say_what_to_do(hub, homes, name):
    hub.add(REPO, small_repo())
    hub.add("org/private", small_repo(), private=True)
    hub.add("org/gated", small_repo(), gated=True)
    hub.add("org/bin", {"config.json": b"{}", "pytorch_model.bin": b"x"})
    args, env, status, what, hint = ERRORS[name]
    started = time.monotonic()
    text = homes("home").ours("download", *args, status=status, **env)
    first, second = text.splitlines()[-2:]
    assert what in first and hint in second, text
    assert time.monotonic() - started < 10


def test_what_is_complete_serves_without_the_hub(hub, homes):
    hub.add(REPO, small_repo())
    home = homes("home")
    folder = home.download()["folder"]
    report = home.download(HF_ENDPOINT="http://127.0.0.1:9")
    assert report["folder"] == folder
    assert "cannot be reached" in report["notes"][0]


def test_names_that_lead_out_of_the_folder_are_refused(hub, homes):
    hub.add(REPO, small_repo() | {"../../../../evil.txt": b"x"})
    home = homes("home")
    assert "evil.txt" in home.ours("download", REPO, "--include", "*", "--local-dir", home.folder / "a/b", status=5)
    assert not list(home.folder.rglob("*evil*"))


# Faults.

def fetched(home, hub, *faults, **env):
    hub.faults[:] = faults
    report = home.download(**env)
    assert (Path(report["folder"]) / LARGE).read_bytes() == small_repo()[LARGE]
    assert not [name for name in listing(home.hub_cache) if "incomplete" in name]
    return report


FAULTS = {
    "cut": [Fault(LARGE, cut=100_000)],
    "cut-often": [Fault(LARGE, cut=30_000, times=6)],
    "cut-at-once": [Fault(LARGE, cut=0)],
    "short": [Fault(LARGE, short=50_000)],
    "cut-then-no-ranges": [Fault(LARGE, cut=100_000), Fault(LARGE, no_range=True)],
    "429": [Fault(LARGE, status=429, headers={"Retry-After": "1"})],
    "429-of-the-hub": [Fault("/tree/", where="hub", status=429, headers={"Retry-After": "1"})],
    "429-with-a-window": [Fault("/resolve/", where="hub", status=429, headers={"RateLimit": '"resolvers";r=0;t=1'})],
    "no-ranges": [Fault(LARGE, no_range=True, times=9)],
    "5xx": [Fault(LARGE, status=503), Fault(LARGE, status=500)],
    "5xx-of-the-hub": [Fault("/revision/", where="hub", status=502)],
    "expired-address": [Fault(LARGE, status=403)],
    "wrong-hash-once": [Fault(LARGE, flip=1000)],
}


@pytest.mark.parametrize("name", FAULTS)
def test_faults_that_pass(hub, homes, name):
    hub.add(REPO, small_repo())
    report = fetched(homes("home"), hub, *[Fault(**vars(fault)) for fault in FAULTS[name]])
    repeats = name in ("cut-then-no-ranges", "wrong-hash-once")
    assert (report["received_bytes"] > report["total_bytes"]) == repeats
    assert any("checksum" in note for note in report["notes"]) == (name == "wrong-hash-once")


def test_a_large_file_from_a_server_without_ranges(hub, homes):
    content = random.Random(3).randbytes(40_000_000)
    hub.add(REPO, small_repo() | {LARGE: content})
    hub.faults[:] = [Fault(LARGE, no_range=True, times=9)]
    report = homes("home").download()
    assert (Path(report["folder"]) / LARGE).read_bytes() == content
    assert report["received_bytes"] == report["total_bytes"]
    assert len(hub.requests("storage", LARGE)) == 1


def test_a_connection_that_says_nothing_is_given_up(hub, homes):
    hub.add(REPO, small_repo())
    started = time.monotonic()
    report = fetched(homes("home"), hub, Fault(LARGE, pause=8), HF_HUB_DOWNLOAD_TIMEOUT="2")
    assert report["received_bytes"] == report["total_bytes"]
    assert time.monotonic() - started < 8


def test_a_disk_that_would_be_full_is_left_alone(hub, homes):
    """A hub that says so of a file is enough: nothing is asked for, nothing is written."""
    repo = hub.add(REPO, small_repo())
    entry = repo.entry
    repo.entry = lambda path: entry(path) | ({"size": 1 << 60, "lfs": entry(path)["lfs"] | {"size": 1 << 60}} if path == LARGE else {})
    home = homes("home")
    text = home.ours("download", REPO, status=7)
    assert "bytes are free, 115292150" in text and "HF_HUB_CACHE" in text
    assert not home.hub_cache.exists() and not hub.requests("storage")


def test_wrong_hash_twice(hub, homes):
    hub.add(REPO, small_repo())
    home = homes("home")
    hub.faults.append(Fault(LARGE, flip=1000, times=2))
    text = home.ours("download", REPO, status=5)
    assert f"{LARGE}: the checksum is wrong, twice" in text
    [aside] = home.hub_cache.rglob("*.wrong")
    assert str(aside) in text and aside.stat().st_size == len(small_repo()[LARGE])
    fetched(home, hub)


def test_quota_that_lasts_is_an_error(hub, homes):
    hub.add(REPO, small_repo())
    hub.faults.append(Fault("/revision/", where="hub", status=429, headers={"Retry-After": "4000"}))
    text = homes("home").ours("download", REPO, status=8)
    assert "429" in text and "try again in 4000 seconds" in text


def test_hub_that_contradicts_itself(hub, homes):
    hub.add(REPO, small_repo())
    hub.faults.append(Fault("/resolve/", where="hub", etag="0" * 64, times=20))
    assert "its list of files says" in homes("home").ours("download", REPO, "--include", LARGE, status=5)


def test_new_content_between_resumes(hub, homes):
    """The branch moves while a download is interrupted: nothing of the old content ends up in the new."""
    hub.add(REPO, small_repo())
    home = homes("home")
    hub.faults.append(Fault(LARGE, cut=100_000, times=1))
    hub.faults.append(Fault(LARGE, status=404, times=2))
    home.ours("download", REPO, status=8)
    new = small_repo(seed=2)
    hub.add(REPO, new)
    report = home.download()
    assert (Path(report["folder"]) / LARGE).read_bytes() == new[LARGE]


# Several processes, and the end of one.

BLOCK = 4 << 20


def arrived(home, size):
    """[begin, end) of what a partial file of that size holds, by the journal at its end."""
    for path in home.hub_cache.rglob("*.incomplete"):
        with open(path, "rb") as file:
            file.seek(size)
            journal = file.read()
        if journal.startswith(b"hf2mlx"):
            counts = struct.unpack(f"<{(len(journal) - 16) // 4}I", journal[16:])
            return [(i * BLOCK, i * BLOCK + count) for i, count in enumerate(counts) if count]
    return []


def arrived_bytes(home, size):
    return sum(end - begin for begin, end in arrived(home, size))


def asked_for(request, size):
    begin, end = re.fullmatch(r"bytes=(\d+)-(\d*)", request["headers"].get("Range", "bytes=0-")).groups()
    return int(begin), int(end) + 1 if end else size


def test_a_large_file_comes_by_several_connections(hub, homes):
    content = random.Random(3).randbytes(60_000_000)
    hub.add(REPO, small_repo() | {LARGE: content})
    hub.faults.append(Fault(LARGE, pause=0.002, times=100))
    report = homes("home").download()
    assert (Path(report["folder"]) / LARGE).read_bytes() == content
    assert report["received_bytes"] == report["total_bytes"]
    requests = hub.requests("storage", LARGE)
    assert len({request["connection"] for request in requests}) >= 4
    assert sorted(asked_for(request, len(content)) for request in requests) == [
        (0, 4 * BLOCK), (4 * BLOCK, 8 * BLOCK), (8 * BLOCK, 12 * BLOCK), (12 * BLOCK, len(content))]
    assert len(hub.requests("hub", f"/resolve/{hub.repos[REPO][0].commit}/{LARGE}")) == 1


def test_killed_runs_go_on_where_they_ended(hub, homes):
    """Twenty times at random moments. What had arrived is never asked for again."""
    content = random.Random(3).randbytes(100_000_000)
    hub.add(REPO, small_repo() | {LARGE: content})
    home, rng = homes("home"), random.Random(4)
    home.download("--exclude", LARGE)
    hub.faults.append(Fault(LARGE, pause=0.004, times=1000))
    connections = []
    for _ in range(20):
        had = arrived(home, len(content))
        enough = sum(end - begin for begin, end in had) + rng.randrange(1, 5_000_000)
        hub.log.clear()
        run = home.start_ours("download", REPO)
        while run.poll() is None and arrived_bytes(home, len(content)) < enough:
            time.sleep(0.02)
        run.send_signal(signal.SIGKILL)
        assert run.wait() == -signal.SIGKILL
        asked = [asked_for(request, len(content)) for request in hub.requests("storage", LARGE)]
        assert not [(a, b) for a in asked for b in had if max(a[0], b[0]) < min(a[1], b[1])]
        connections.append(len(asked))
    assert max(connections) >= 4
    hub.faults.clear()
    had = arrived_bytes(home, len(content))
    report = home.download()
    assert (Path(report["folder"]) / LARGE).read_bytes() == content
    assert report["received_bytes"] == len(content) - had
    assert not [name for name in listing(home.hub_cache) if "incomplete" in name]


def test_interrupted_runs_say_so_and_keep_what_arrived(hub, homes):
    hub.add(REPO, small_repo(size=3_000_000))
    home = homes("home")
    hub.faults.append(Fault(LARGE, pause=0.1))
    run = home.start_ours("download", REPO)
    while arrived_bytes(home, 3_000_000) < 300_000:
        time.sleep(0.02)
    run.send_signal(signal.SIGTERM)
    assert run.wait(10) == 130
    hub.log.clear()
    home.download()
    [request] = hub.requests("storage", LARGE)
    assert asked_for(request, 3_000_000)[0] >= 300_000


def test_two_at_once_fetch_each_byte_once(hub, homes):
    hub.add(REPO, small_repo())
    home, alone = homes("home"), homes("alone")
    hub.faults.append(Fault(LARGE, pause=0.3))
    runs = [home.start_ours("download", REPO, "--include", "*") for _ in range(3)]
    assert [run.wait(60) for run in runs] == [0, 0, 0]
    assert len(hub.requests("storage", LARGE)) == 1
    alone.download("--include", "*")
    assert listing(home.hub_cache) == listing(alone.hub_cache)


def test_beside_the_real_client(hub, homes):
    hub.add(REPO, small_repo())
    home, alone = homes("home"), homes("alone")
    hub.faults.append(Fault(LARGE, pause=1))
    run = home.start_ours("download", REPO, "--include", "*")
    home.theirs(f"h.snapshot_download({REPO!r})")
    assert run.wait(60) == 0
    assert len(hub.requests("storage", LARGE)) == 1
    alone.download("--include", "*")
    assert listing(home.hub_cache) == listing(alone.hub_cache)
