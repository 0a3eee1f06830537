"""Our hub client beside the real huggingface_hub, at the hub of tests/support: both caches, each other's caches, tokens and errors."""
import json
import os
import re
import shutil
import ssl
import subprocess
import time
from pathlib import Path

import pytest
from conftest import ROOT
from hub_homes import LARGE, REPO, TOKEN, Home, listing, small_repo
from hub_server import Fault, Hub


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


def test_we_use_contents_that_their_cache_shares(hub, homes, source):
    """What the real client has downloaded by Xet lies in a store that repositories share; blobs/ has links to it."""
    hub.add_folder(REPO, source)
    home = homes("home")
    folder = home.theirs(f"h.snapshot_download({REPO!r})")
    shards = sorted(Path(folder).glob("*.safetensors"))
    for i, shard in enumerate(shards):
        blob = shard.parent / os.readlink(shard)
        size, xet_hash = shard.stat().st_size, f"{i:064x}"
        publish = "__import__('huggingface_hub.utils._shared_blobs', fromlist=['x']).publish_blob_to_shared_store"
        assert home.theirs(f"{publish}(blob_path={str(os.path.normpath(blob))!r}, xet_hash={xet_hash!r}, cache_dir={str(home.hub_cache)!r}, "
                           f"expected_size={size})") == "True"
        assert os.path.islink(blob)
    before = listing(home.hub_cache)
    hub.log.clear()
    home.ours("convert", REPO, home.folder / "out", "-q", "--quiet")
    home.ours("convert", source, home.folder / "expected", "-q", "--quiet")
    assert (home.folder / "out" / LARGE).read_bytes() == (home.folder / "expected" / LARGE).read_bytes()
    assert [model["model"] for model in json.loads(home.ours("list", "--json"))["cache"]["models"]] == [REPO]
    assert home.download(HF_HUB_OFFLINE="1")["folder"] == folder
    assert hub.log == []
    hub.add_folder(REPO, source, large=lambda path: path.endswith(".safetensors"))  # a newer revision with the same weights
    assert home.download()["received_bytes"] < 1_000_000
    home.download("--local-dir", home.folder / "local")
    assert (home.folder / "local" / shards[0].name).read_bytes() == shards[0].read_bytes()
    assert not (home.folder / "local" / shards[0].name).is_symlink()
    assert not hub.requests("storage", ".safetensors")
    after = listing(home.hub_cache)
    assert {name: after[name] for name in before if not name.endswith("refs/main")} == {
        name: entry for name, entry in before.items() if not name.endswith("refs/main")}
    os.remove(os.path.realpath(shards[0]))  # then there is a link that leads nowhere
    assert home.download()["received_bytes"] == (source / shards[0].name).stat().st_size
    assert shards[0].read_bytes() == (source / shards[0].name).read_bytes()


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


def test_convert_refuses_a_target_before_it_downloads(hub, homes, source):
    hub.add_folder(REPO, source)
    home = homes("home")
    (home.folder / "out").mkdir()
    (home.folder / "file").touch()
    assert "already exists" in home.ours("convert", REPO, home.folder / "out", status=2)
    assert "file is a file, expected a folder" in home.ours("convert", REPO, home.folder / "file/out", status=2)
    assert "expected org/name" in home.ours("convert", REPO, home.folder / "new", "--upload-repo", "alone", status=2)
    assert "uploading needs a token" in home.ours("convert", REPO, home.folder / "new", "--upload-repo", "me/new", status=9)
    assert hub.log == []


HEADERS_TELL = {  # name: what differs in config.json, options, status, what is said
    "architecture": ({"model_type": "strange"}, [], 4, "strange"),
    "tensors": ({"num_hidden_layers": 7}, [], 5, "model.layers."),
    "option": ({}, ["-q", "--q-override", "nothing.*=8"], 2, "nothing.*"),
    "imatrix": ({}, ["-q", "--imatrix", "/nowhere.gguf"], 3, "/nowhere.gguf"),
    "target": ({"model_type": "strange"}, ["--target-bpw", "4.5"], 4, "strange"),
}


@pytest.mark.parametrize("name", HEADERS_TELL)
def test_convert_refuses_what_headers_tell_before_it_downloads(hub, homes, source, name):
    changes, args, status, said = HEADERS_TELL[name]
    files = {path.name: path.read_bytes() for path in source.iterdir()}
    files["config.json"] = json.dumps(json.loads(files["config.json"]) | changes).encode()
    hub.add(REPO, files)
    home = homes("home")
    assert said in home.ours("convert", REPO, home.folder / "out", *args, status=status)
    assert not home.hub_cache.exists() and not hub.requests("hub", "tokenizer.json")


def test_convert_needs_room_for_the_output_too(hub, homes, tmp_path):
    """A model of a matrix of 4 TB, of zeros that take no room."""
    rows, columns = 1 << 34, 128
    config = {"model_type": "qwen3", "hidden_size": columns, "num_hidden_layers": 0, "vocab_size": rows, "tie_word_embeddings": True}
    config |= json.loads((ROOT / "examples/tiny-qwen3/config.json").read_text()) | config
    end = rows * columns * 2
    header = json.dumps({"model.norm.weight": {"dtype": "BF16", "shape": [columns], "data_offsets": [end, end + 2 * columns]},
                         "model.embed_tokens.weight": {"dtype": "BF16", "shape": [rows, columns], "data_offsets": [0, end]}}).encode()
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text(json.dumps(config))
    with open(tmp_path / "model" / LARGE, "wb") as file:
        file.write(len(header).to_bytes(8, "little") + header)
        file.truncate(8 + len(header) + end + 2 * columns)
    hub.add_folder(REPO, tmp_path / "model", known={LARGE: "1" * 64})
    home = homes("home")
    text = home.ours("convert", REPO, home.folder / "out", "-q", "--q-bits", "4", status=7)
    [needed] = re.findall(r"bytes are free, (\d+) are needed", text)
    assert int(needed) > end + end // 4 and "--stream" in text
    assert not home.hub_cache.exists()
    [needed] = re.findall(r"home/out: \d+ bytes are free, (\d+) are needed", home.ours("convert", REPO, home.folder / "out", "-q", "--stream", status=7))
    assert end // 4 < int(needed) < end // 2
    assert not list(home.folder.iterdir())


def test_convert_of_a_server_that_sends_no_ranges(hub, homes, source):
    hub.add_folder(REPO, source)
    hub.faults.append(Fault(LARGE, no_range=True, times=1000))
    home = homes("home")
    home.ours("convert", REPO, home.folder / "out", "-q")
    assert (home.folder / "out" / LARGE).exists()


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


@pytest.mark.skipif(not shutil.which("openssl"), reason="no openssl to make a certificate")
def test_certificates_of_a_file_are_trusted(tmp_path):
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-days", "2", "-subj",
                    "/CN=loopback", "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    with Hub(tls=tls) as hub:
        hub.add(REPO, small_repo())
        ours, theirs = [Home(tmp_path / name, hub) for name in ("ours", "theirs")]
        assert "certificate" in ours.ours("download", REPO, status=8)
        ours.ours("download", REPO, "--include", "*", SSL_CERT_FILE=str(certificate))
        theirs.theirs(f"h.snapshot_download({REPO!r})", SSL_CERT_FILE=str(certificate))
    assert listing(ours.hub_cache) == listing(theirs.hub_cache)


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
