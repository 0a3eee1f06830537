"""hf2mlx upload, and convert --upload-repo, against a local hub; the real client uploads to the same one and downloads what we uploaded."""
import json
import os
import subprocess
import shutil
from pathlib import Path

import pytest
from hub_homes import REPO, TOKEN, Home
from hub_server import Fault, Hub

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "tiny-qwen3"
WEIGHTS = "model.safetensors"


@pytest.fixture
def hub():
    with Hub(token=TOKEN) as server:
        yield server


@pytest.fixture
def home(hub, tmp_path):
    home = Home(tmp_path / "home", hub)
    home.folder.mkdir()
    home.env |= {"HF_TOKEN": TOKEN}
    return home


@pytest.fixture
def model(home, tmp_path):
    home.ours("convert", EXAMPLE, tmp_path / "model", "-q", "--quiet")
    return tmp_path / "model"


def contents(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def stored(hub):
    repo = hub.repos[REPO][-1]
    return {path: content for path, content in repo.files.items() if path != ".gitattributes"}


def upload(home, model, *args, **kwargs):
    return json.loads(home.ours("upload", model, REPO, "--json", *args, **kwargs))


@pytest.mark.parametrize("part_bytes", [0, 1_000_000])
def test_a_folder_becomes_one_commit(hub, home, model, part_bytes):
    hub.part_bytes = part_bytes
    report = upload(home, model, "--message", "first")
    assert stored(hub) == contents(model)
    assert report["commit"] == hub.repos[REPO][-1].commit and hub.messages == ["first"]
    assert hub.repos[REPO][-1].large == {WEIGHTS, "tokenizer.json"}
    parts = len(hub.requests("storage", "/upload/"))
    assert parts == 2 if part_bytes == 0 else parts == -(-(model / WEIGHTS).stat().st_size // part_bytes) + 1
    assert not [r for r in hub.requests("storage") if "Authorization" in r["headers"]], "the storage must not see the token"


def test_what_is_there_is_not_sent_again(hub, home, model):
    upload(home, model)
    sent = len(hub.requests("storage", "/upload/"))
    report = upload(home, model)
    assert report["sent_bytes"] == 0 and len(hub.messages) == 1 and all(file["was_there"] for file in report["files"])
    (model / "NOTES.md").write_text("new")
    report = upload(home, model)
    assert [file["path"] for file in report["files"] if not file["was_there"]] == ["NOTES.md"]
    assert len(hub.messages) == 2 and len(hub.requests("storage", "/upload/")) == sent
    assert stored(hub) == contents(model)


def test_weights_of_an_earlier_model_go_and_other_files_stay(hub, home, model):
    hub.add(REPO, {".gitattributes": b"", "model-00001-of-00002.safetensors": b"old", "model.safetensors.index.json": b"{}", "photo.png": b"x"})
    report = upload(home, model)
    assert report["removed"] == ["model-00001-of-00002.safetensors"]
    assert stored(hub) == contents(model) | {"photo.png": b"x"}


def test_the_real_client_downloads_what_we_uploaded(hub, home, model, tmp_path):
    upload(home, model)
    home.theirs(f"h.snapshot_download({REPO!r}, local_dir={str(tmp_path / 'again')!r})")
    shutil.rmtree(tmp_path / "again" / ".cache")
    (tmp_path / "again" / ".gitattributes").unlink()
    assert contents(tmp_path / "again") == contents(model)


def test_the_real_client_uploads_to_this_hub_likewise(hub, home, model):
    """So that what the hub of these tests takes is what the real one takes."""
    hub.part_bytes = 1_000_000
    home.theirs(f"h.HfApi().create_repo({REPO!r}) and h.HfApi().upload_folder(repo_id={REPO!r}, folder_path={str(model)!r})")
    assert stored(hub) == contents(model)
    report = upload(home, model)
    assert all(file["was_there"] for file in report["files"]) and len(hub.messages) == 1


def test_convert_uploads_its_result(hub, home, tmp_path):
    out = tmp_path / "out"
    report = json.loads(home.ours("convert", EXAMPLE, out, "-q", "--upload-repo", REPO, "--json"))
    assert report["upload"]["repo_id"] == REPO and stored(hub) == contents(out)
    assert f'load("{REPO}")' in (out / "README.md").read_text()


def test_what_fails_for_a_moment_is_tried_again(hub, home, model):
    hub.part_bytes = 1_000_000
    hub.faults += [Fault("/upload/", where="storage", status=503, times=2), Fault("preupload", where="hub", status=500),
                   Fault("commit", where="hub", status=429, headers={"Retry-After": "1"})]
    upload(home, model)
    assert stored(hub) == contents(model)


def test_a_run_that_ends_early_changes_nothing_and_the_next_goes_on(hub, home, model):
    hub.faults.append(Fault("commit", where="hub", status=400))
    home.ours("upload", model, REPO, status=8)
    assert stored(hub) == {}
    sent = len(hub.requests("storage", "/upload/"))
    upload(home, model)
    assert stored(hub) == contents(model) and len(hub.requests("storage", "/upload/")) == sent


def bytes_read(home, *args):
    """That the program reads of files and connections, as the system counts them."""
    run = subprocess.Popen([os.environ["HF2MLX"], *map(str, args)], env=home.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.waitid(os.P_PID, run.pid, os.WEXITED | os.WNOWAIT)
    counted = dict(line.split(": ") for line in Path(f"/proc/{run.pid}/io").read_text().splitlines())
    assert run.wait() == 0
    return int(counted["rchar"])


@pytest.mark.skipif(not Path("/proc/self/io").exists(), reason="the system does not count what a program reads")
def test_weights_are_hashed_once(hub, home, model):
    """They are read to be verified, and to be sent."""
    least = bytes_read(home, "inspect", model)
    weights, others = (model / WEIGHTS).stat().st_size, 3 * sum(len(text) for name, text in contents(model).items() if name != WEIGHTS)
    assert 2 * weights < bytes_read(home, "upload", model, REPO) - least < 2.5 * weights + others
    assert bytes_read(home, "upload", model, REPO) - least < 1.5 * weights + others  # the hub has them
    assert stored(hub) == contents(model)


@pytest.mark.skipif(not Path("/proc/self/io").exists(), reason="the system does not count what a program reads")
def test_what_a_conversion_has_hashed_is_not_read_to_be_uploaded(hub, home, tmp_path):
    out, out2 = tmp_path / "out", tmp_path / "out2"
    in_order = ("--threads", "1")  # what several write out of order is read back to be hashed
    convert = bytes_read(home, "convert", EXAMPLE, out, *in_order)
    assert bytes_read(home, "convert", EXAMPLE, out2, "--upload-repo", REPO, *in_order) - convert < 1.5 * (out / WEIGHTS).stat().st_size
    assert stored(hub) == contents(out2)


def test_refusals_say_what_to_do(hub, home, model, tmp_path):
    assert "uploading needs a token" in home.ours("upload", model, REPO, status=9, HF_TOKEN="")
    assert "the token is refused" in home.ours("upload", model, REPO, status=9, HF_TOKEN="hf_wrong")
    hub.closed.add("org")
    text = home.ours("upload", model, REPO, status=9)
    assert "you may not make a repository in org" in text and "may write to" in text
    assert "expected org/name" in home.ours("upload", model, "alone", status=2)
    assert "expected FOLDER and REPO" in home.ours("upload", model, status=2)
    assert "offline" in home.ours("upload", model, REPO, status=8, HF_HUB_OFFLINE="1")
    assert not hub.messages
    for no_token in ({"HF_TOKEN": ""}, {"HF_HUB_OFFLINE": "1"}):
        home.ours("convert", EXAMPLE, tmp_path / "out", "-q", "--upload-repo", REPO, status=8 if "HF_HUB_OFFLINE" in no_token else 9, **no_token)
        assert not (tmp_path / "out").exists()
    text = home.ours("convert", EXAMPLE, tmp_path / "out", "-q", "--upload-repo", REPO, status=9)
    assert f"hf2mlx upload {tmp_path / 'out'} {REPO} goes on" in text and (tmp_path / "out" / WEIGHTS).exists()


def test_a_broken_folder_is_not_uploaded(hub, home, model):
    with open(model / WEIGHTS, "r+b") as file:
        file.truncate(1000)
    text = home.ours("upload", model, REPO, status=5)
    assert WEIGHTS in text and "--force" in text and not hub.messages
    upload(home, model, "--force")
    assert stored(hub) == contents(model)
