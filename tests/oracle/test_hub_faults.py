"""Our hub client when something goes wrong: a hub with faults, processes that are killed, and several at once."""
import hashlib
import os
import random
import re
import signal
import struct
import time
from pathlib import Path

import pytest
from hub_homes import LARGE, REPO, listing, small_repo
from hub_server import Allowance, Fault


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
    report = fetched(homes("home"), hub, Fault(LARGE, pause=60), HF_HUB_DOWNLOAD_TIMEOUT="2")
    assert report["received_bytes"] == report["total_bytes"]
    assert time.monotonic() - started < 50


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


def arrived(home, content):
    """[begin, end) of what is there of the large file, by the journal at its end. A file that lost its journal, or its name, is whole."""
    blob = home.hub_cache / "models--org--model/blobs" / hashlib.sha256(content).hexdigest()
    try:
        with open(f"{blob}.hf2mlx.incomplete", "rb") as file:
            file.seek(len(content))
            journal = file.read()
            if os.fstat(file.fileno()).st_size == len(content):
                return [(0, len(content))]
    except FileNotFoundError:
        return [(0, len(content))] if blob.exists() else []
    if not journal.startswith(b"hf2mlx"):
        return []
    counts = struct.unpack(f"<{(len(journal) - 16) // 4}I", journal[16:])
    return [(i * BLOCK, i * BLOCK + count) for i, count in enumerate(counts) if count]


def arrived_bytes(home, content):
    return sum(end - begin for begin, end in arrived(home, content))


def end_when_arrived(home, content, enough, signal_number):
    """Starts a download and ends it when so much is there. The exit status."""
    run = home.start_ours("download", REPO)
    while run.poll() is None and arrived_bytes(home, content) < enough:
        time.sleep(0.02)
    run.send_signal(signal_number)
    return run.wait(60)


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
    connections, sent = [], 0
    for _ in range(20):
        had = arrived(home, content)
        some = rng.randrange(1, 4_500_000)
        hub.allowance = Allowance(some)
        hub.log.clear()
        enough = sum(end - begin for begin, end in had) + rng.randrange(some)
        assert end_when_arrived(home, content, enough, signal.SIGKILL) == -signal.SIGKILL
        asked = [asked_for(request, len(content)) for request in hub.requests("storage", LARGE)]
        assert not [(a, b) for a in asked for b in had if max(a[0], b[0]) < min(a[1], b[1])]
        connections.append(len(asked))
        sent += some - hub.allowance.left
    assert max(connections) >= 4
    hub.faults.clear()
    hub.allowance = Allowance()
    had = arrived_bytes(home, content)
    assert had <= sent <= had + sum(connections) * BLOCK
    report = home.download()
    assert (Path(report["folder"]) / LARGE).read_bytes() == content
    assert report["received_bytes"] == len(content) - had
    assert not [name for name in listing(home.hub_cache) if "incomplete" in name]


def test_the_real_client_finishes_what_we_began(hub, homes):
    content = random.Random(3).randbytes(20_000_000)
    hub.add(REPO, small_repo() | {LARGE: content})
    home, alone = homes("home"), homes("alone")
    hub.allowance = Allowance(len(content) // 2)
    assert end_when_arrived(home, content, len(content) // 4, signal.SIGKILL) == -signal.SIGKILL
    hub.allowance = Allowance()
    folder = home.theirs(f"h.snapshot_download({REPO!r})")
    assert (Path(folder) / LARGE).read_bytes() == content
    assert home.download()["received_bytes"] == 0
    alone.theirs(f"h.snapshot_download({REPO!r})")
    assert listing(home.hub_cache) == listing(alone.hub_cache)


def test_what_the_real_client_left_is_not_taken_for_ours(hub, homes):
    """Up to version 1 it kept "<etag>.incomplete"; version 2 leaves a name of its own when it is killed."""
    repo = hub.add(REPO, small_repo())
    home = homes("home")
    blobs = home.hub_cache / "models--org--model/blobs"
    blobs.mkdir(parents=True)
    left = [blobs / f"{repo.etag(LARGE)}.incomplete", blobs / f"{repo.etag(LARGE)}.1a2b3c4d.incomplete"]
    for path in left:
        path.write_bytes(b"something else")
    report = home.download()
    assert (Path(report["folder"]) / LARGE).read_bytes() == small_repo()[LARGE]
    assert [path.read_bytes() for path in left] == [b"something else"] * 2


def test_interrupted_runs_say_so_and_keep_what_arrived(hub, homes):
    content = random.Random(1).randbytes(3_000_000)
    hub.add(REPO, small_repo() | {LARGE: content})
    home = homes("home")
    hub.allowance = Allowance(400_000)
    assert end_when_arrived(home, content, 300_000, signal.SIGTERM) == 130
    hub.allowance = Allowance()
    hub.log.clear()
    home.download()
    [request] = hub.requests("storage", LARGE)
    assert asked_for(request, len(content))[0] >= 300_000


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
