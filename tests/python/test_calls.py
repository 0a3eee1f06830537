"""Every call, with all its parameters, against what the program in the same wheel prints and writes."""
import dataclasses
import hashlib
import inspect
import json
import os
import pydoc
from pathlib import Path

import pytest
from conftest import MODEL, SOURCE, TOKEN, run_checked


def digests(folder):
    """Of all files but those that say how they were made."""
    own_words = ("README.md", "hf2mlx.json")
    return {p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in Path(folder).rglob("*")
            if p.is_file() and p.name not in own_words}


def as_json(result, *leave_out):
    """As the program prints it: fields that it leaves out have their defaults here."""
    def named(value):
        if isinstance(value, dict):
            return {key.removesuffix("_"): named(item) for key, item in value.items()}
        return [named(item) for item in value] if isinstance(value, list) else value

    return {key: value for key, value in named(dataclasses.asdict(result)).items() if key not in leave_out}


def without(printed, *leave_out):
    return {key: value for key, value in printed.items() if key not in leave_out}


# What is given to convert(), and to the program, for the same folder.
CASES = {
    "bits": (dict(quantize=True, q_bits=8, q_group_size=32), ["-q", "--q-bits", "8", "--q-group-size", "32"]),
    "overrides": (dict(quantize=True, overrides={"lm_head": 8, "*.mlp.*": "3:32", "*.q_proj": "keep", "*.o_proj": {"mode": "mxfp8"},
                                                 "*.k_proj": {"bits": 6, "group_size": 128}}),
                  ["-q", *(word for spec in ("lm_head=8", "*.mlp.*=3:32", "*.q_proj=keep", "*.o_proj=8:32:mxfp8", "*.k_proj=6:128")
                           for word in ("--q-override", spec))]),
    "override texts": (dict(quantize=True, overrides=["lm_head=8", "*.mlp.*=3:32"]),
                       ["-q", "--q-override", "lm_head=8", "--q-override", "*.mlp.*=3:32"]),
    "lattice": (dict(quantize=True, q_lattice="q4_0"), ["-q", "--q-lattice", "q4_0"]),
    "fit": (dict(quantize=True, q_bits=2, q_fit="fast"), ["-q", "--q-bits", "2", "--q-fit", "fast"]),
    "bits per weight": (dict(target_bpw=5.5, q_candidates=[4, "6:64"]), ["--target-bpw", "5.5", "--q-candidates", "4,6:64"]),
    "size": (dict(target_size=5 << 20), ["--target-size", "5MB"]),
    "size in words": (dict(target_size="5.5 MB"), ["--target-size", "5.5MB"]),
    "shards": (dict(max_shard_size=3 << 20), ["--max-shard-size", "3MB"]),
    "single file": (dict(single_file=True, threads=1, max_memory=64 << 20, sync=True), ["--single-file"]),
    "arch": (dict(arch="qwen3", fix_eos=True, dtype="float16"), ["--arch", "qwen3", "--fix-eos", "--dtype", "float16"]),
}


@pytest.mark.parametrize("name", CASES)
def test_convert_writes_what_the_program_writes(hf2mlx, fresh, name):
    parameters, options = CASES[name]
    report = hf2mlx.convert(SOURCE, "ours", **parameters)
    run_checked(fresh.program, "convert", SOURCE, "theirs", "--quiet", *options)
    assert report.output == os.path.abspath("ours")
    assert digests("ours") == digests("theirs")
    assert {file for file in report.files if "/" not in file} == set(os.listdir("ours"))


def test_every_parameter_is_tried(hf2mlx):
    """In CASES, or in a test of its own in this folder."""
    tests = "".join(path.read_text() for path in Path(__file__).parent.glob("*.py"))
    for name in inspect.signature(hf2mlx.convert).parameters:
        assert f"{name}=" in tests, name


def test_what_is_made_of_convert_says_so(hf2mlx):
    parameters = list(inspect.signature(hf2mlx.convert).parameters.values())
    plan, several = (inspect.signature(call) for call in (hf2mlx.plan, hf2mlx.convert_variants))
    assert list(plan.parameters.values()) == parameters and plan.return_annotation == "Plan"
    assert list(several.parameters.values())[1:] == parameters and list(several.parameters)[0] == "variants"
    for call, arguments in ((hf2mlx.plan, "(hf_path: 'PathLike', mlx_path: 'PathLike' = 'mlx_model', quantize"),
                            (hf2mlx.convert_variants, "(variants: 'Variants', /, hf_path: 'PathLike', mlx_path")):
        text = pydoc.plain(pydoc.render_doc(call))
        assert f"{call.__name__}{arguments}" in text and call.__doc__.splitlines()[0] in text
        with pytest.raises(TypeError, match=rf"{call.__name__}\(\): missing a required argument: '\w+'"):
            call()
        with pytest.raises(TypeError, match="q_bit'"):
            call(["4"], SOURCE, q_bit=4)


def test_several_at_once(hf2mlx, fresh):
    variants = [4, "8:32", "mxfp4", "none"]
    reports = hf2mlx.convert_variants(variants, SOURCE, "ours", quant_predicate=lambda path, layer: path != "lm_head")
    assert [Path(report.output).name for report in reports] == ["ours-4bit", "ours-8bit-g32", "ours-mxfp4", "ours-unquantized"]
    assert [report.quantized_layers for report in reports] == [43, 43, 43, 0]
    reports = hf2mlx.convert_variants((str(variant) for variant in variants), SOURCE, Path("plain"), max_shard_size="3MB")
    run_checked(fresh.program, "convert", SOURCE, "theirs", "--quiet", "--max-shard-size", "3MB",
                *(word for variant in variants for word in ("--variant", str(variant))))
    for report in reports:
        assert digests(report.output) == digests(Path(report.output).name.replace("plain", "theirs"))
    for given, more in (([], {}), (["four"], {}), ([4, 8], dict(q_bits=4)), ([4, 4], {})):
        with pytest.raises(hf2mlx.UsageError):
            hf2mlx.convert_variants(given, SOURCE, "more", **more)
    assert not list(Path().glob("more*"))


def test_stream(hf2mlx, hub, home):
    report = hf2mlx.convert(MODEL, "ours", quantize=True, stream=True)
    assert report.received_bytes > 13_000_000 and not (home / ".cache").exists()
    assert 10_000 < hf2mlx.inspect(MODEL).received_bytes < 150_000
    assert 10_000 < hf2mlx.plan(MODEL, quantize=True).received_bytes < 150_000
    hf2mlx.convert(SOURCE, "theirs", quantize=True)
    assert digests("ours") == digests("theirs")


def test_report_and_plan_have_the_names_that_the_program_prints(hf2mlx, printed):
    report = hf2mlx.convert(SOURCE, "ours", quantize=True)
    theirs = printed("convert", SOURCE, "theirs", "-q")
    assert without(as_json(report, "frontier", "upload", "errors", "whole_error", "received_bytes"), "seconds", "output") == without(theirs, "seconds", "output")
    assert report.seconds > 0 and report.frontier == []
    plan = hf2mlx.plan(SOURCE, "planned", quantize=True, q_bits=6)
    assert as_json(plan, "frontier", "received_bytes") == printed("plan", SOURCE, "planned", "-q", "--q-bits", "6")
    assert plan.tensors[0].encoding == "affine 6-bit g64" and not Path("planned").exists()


def test_a_target_has_a_frontier(hf2mlx, printed):
    plan = hf2mlx.plan(SOURCE, target_bpw=5, sensitivity="measured.json")
    assert as_json(plan, "received_bytes") == printed("plan", SOURCE, "--target-bpw", "5", "--sensitivity", "measured.json")
    assert sum(point.chosen for point in plan.frontier) == 1 and Path("measured.json").exists()


def test_requantize_and_force(hf2mlx):
    first = hf2mlx.convert(SOURCE, "out", quantize=True, q_bits=8)
    with pytest.raises(hf2mlx.UsageError):
        hf2mlx.convert(SOURCE, "out", quantize=True)
    again = hf2mlx.convert("out", "smaller", quantize=True, q_bits=4, requantize=True)
    assert again.output_bytes < first.output_bytes and any("second time" in note for note in again.notes)
    assert hf2mlx.convert(SOURCE, "out", force=True).quantized_layers == 0


def test_checksums(hf2mlx):
    hf2mlx.convert(SOURCE, "out", checksums=True)
    listed = json.loads(Path("out", "hf2mlx.json").read_text())["files"]["model.safetensors"]
    assert listed["sha256"] == hashlib.sha256(Path("out", "model.safetensors").read_bytes()).hexdigest()


def test_lm_studio(hf2mlx, home):
    report = hf2mlx.convert(SOURCE, quantize=True, lm_studio="me", name="{model}-MLX-{bits}bit")
    assert Path(report.output) == home / ".lmstudio/models/me/tiny-qwen3-MLX-4bit"
    assert [model.model for model in hf2mlx.list_models().lm_studio.models] == ["me/tiny-qwen3-MLX-4bit"]
    for parameters in (dict(mlx_path="out", lm_studio="me"), dict(name="x"), dict(lm_studio=True)):
        with pytest.raises(ValueError):  # the last, as a folder has no organisation
            hf2mlx.convert(SOURCE, **parameters)


def test_imatrix(hf2mlx, fresh):
    import gguf
    import numpy as np
    writer = gguf.GGUFWriter("imatrix.gguf", "")
    writer.add_string("general.type", "imatrix")
    writer.add_array("imatrix.datasets", ["x"])
    writer.add_uint32("imatrix.chunk_count", 1)
    writer.add_uint32("imatrix.chunk_size", 512)
    for layer in range(6):
        writer.add_tensor(f"blk.{layer}.ffn_up.weight.in_sum2", np.linspace(1, 100, 256, dtype=np.float32).reshape(1, 256))
        writer.add_tensor(f"blk.{layer}.ffn_up.weight.counts", np.ones((1, 1), np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    hf2mlx.convert(SOURCE, "ours", quantize=True, imatrix="imatrix.gguf")
    run_checked(fresh.program, "convert", SOURCE, "theirs", "-q", "--quiet", "--imatrix", "imatrix.gguf")
    assert digests("ours") == digests("theirs")


def test_arch_dir(hf2mlx):
    Path("archs").mkdir()
    Path("archs/other.arch").write_text((SOURCE.parents[1] / "src/arch/families/qwen3.arch").read_text())
    plan = hf2mlx.plan(SOURCE, arch="other", arch_dir="archs")
    assert plan.architecture == "other"
    assert hf2mlx.inspect(SOURCE, arch="other", arch_dir=Path("archs")).architecture == "other"


def test_inspect_list_and_architectures(hf2mlx, printed):
    assert as_json(hf2mlx.inspect(SOURCE), "received_bytes") == printed("inspect", SOURCE)
    assert [as_json(arch) for arch in hf2mlx.architectures()] == printed("archs")["architectures"]
    hf2mlx.convert(SOURCE, "deep/out", quantize=True)
    lists = hf2mlx.list_models(["deep"])
    assert as_json(lists) == printed("list", "--in", "deep") and lists.cache.models == []
    assert [(made.as_, made.source.name, made.original.state) for made in lists.conversions] == [("4bit", "tiny-qwen3", "absent")]


def test_verify(hf2mlx, printed):
    eight = {"group_size": 64, "bits": 8, "mode": "affine"}
    hf2mlx.convert(SOURCE, "out", quantize=True, quant_predicate=lambda path, layer: eight if "mlp" in path else "lm_head" not in path)
    verification = hf2mlx.verify("out", SOURCE, error=True)
    theirs = printed("verify", "out", "--source", SOURCE, "--error")
    assert without(as_json(verification), "seconds") == without(theirs, "seconds")
    assert verification.worst != "error"
    # What the predicate has said stands in the manifest, so the comparison knows what to expect.
    assert verification.comparison.equal == verification.tensors and verification.comparison.different == 0
    assert {error.encoding for error in verification.errors} == {"affine 4-bit g64", "affine 8-bit g64"}
    Path("out/config.json").unlink()
    assert hf2mlx.verify(Path("out")).worst == "error"


def test_download_into_the_cache_and_into_a_folder(hf2mlx, hub, printed, home):
    would = hf2mlx.download(MODEL, dry_run=True)
    assert without(as_json(would), "seconds") == without(printed("download", MODEL, "--dry-run"), "seconds")
    report = hf2mlx.download(MODEL)
    assert report.received_bytes == would.received_bytes > 0
    assert Path(report.folder).is_relative_to(home / ".cache/huggingface/hub")
    assert [model.model for model in hf2mlx.list_models().cache.models] == [MODEL]
    assert as_json(hf2mlx.list_models()) == printed("list")
    hf2mlx.download(MODEL, "main", local_dir="local", include=["*.json"], exclude="vocab*")
    assert Path("local/config.json").exists() and not Path("local/vocab.json").exists() and not list(Path("local").glob("*.safetensors"))


def test_a_model_of_the_hub_is_downloaded_and_converted(hf2mlx, hub, monkeypatch, tmp_path):
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    report = hf2mlx.convert(MODEL, "out", quantize=True, revision="main")
    assert report.model == MODEL and Path(report.source).is_relative_to(tmp_path / "hf" / "hub")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert hf2mlx.inspect(f"{MODEL}@main").convertible


def test_a_predicate_is_asked_once_of_a_layer_of_a_model_that_is_downloaded(hf2mlx, hub, monkeypatch, tmp_path):
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    asked = []

    def every_second(path, module):
        asked.append(path)
        return len(asked) % 2 == 0

    hf2mlx.convert(MODEL, tmp_path / "out", quantize=True, quant_predicate=every_second)
    tensors = json.loads((tmp_path / "out" / "model.safetensors.index.json").read_text())["weight_map"]
    assert len(asked) == len(set(asked)) > 10
    assert [f"{path}.scales" in tensors for path in asked] == [i % 2 == 1 for i in range(len(asked))]


def test_the_environment_counts_at_the_time_of_the_call(hf2mlx, hub, monkeypatch, tmp_path):
    hub.repos[MODEL][-1].private = True
    with pytest.raises(hf2mlx.Error):
        hf2mlx.download(MODEL)
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    monkeypatch.setenv("HF_TOKEN_PATH", str(tmp_path / "token"))
    assert hf2mlx.download(MODEL, include="config.json").files[0].path == "config.json"


def test_upload(hf2mlx, hub, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    report = hf2mlx.convert(SOURCE, "out", quantize=True, upload_repo="me/model")
    assert report.upload.repo_id == "me/model" and report.upload.url.endswith("/me/model")
    stored = hub.repos["me/model"][-1].files.items()  # of what the hub knew before, the path
    files = {path: content if isinstance(content, bytes) else content.read_bytes() for path, content in stored if path != ".gitattributes"}
    assert files == {p.relative_to("out").as_posix(): p.read_bytes() for p in Path("out").rglob("*") if p.is_file()}
    assert {file.path for file in report.upload.files} == set(files)
    told = []
    again = hf2mlx.upload(Path("out"), "me/other", message="said", progress=lambda *words: told.append(words[0]))
    assert again.commit == hub.repos["me/other"][-1].commit and hub.messages[-1] == "said" and again.seconds > 0
    assert {file.path for file in again.files} == set(files) and list(dict.fromkeys(told)) == ["checking digests", "computing checksums", "uploading"]
    Path("out/model.safetensors").write_bytes(b"broken")
    with pytest.raises(hf2mlx.CorruptError) as raised:
        hf2mlx.upload("out", "me/other")
    assert "force uploads all the same" in raised.value.hint and "--" not in raised.value.hint
    hf2mlx.upload("out", "me/other", force=True)
    stopped = hf2mlx.CancelToken()
    stopped.cancel()
    with pytest.raises(hf2mlx.Cancelled):
        hf2mlx.upload("out", "me/other", force=True, cancel=stopped)
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    with pytest.raises(hf2mlx.AuthError) as raised:
        hf2mlx.convert(SOURCE, "late", upload_repo="me/model")
    assert "the model is complete" in raised.value.hint and Path("late/model.safetensors").exists()


def test_names_that_are_not_text(hf2mlx):
    """Paths are bytes to the system."""
    odd = Path(os.fsdecode(b"\xff\xfe"))
    odd.mkdir()
    for path in SOURCE.iterdir():
        (odd / path.name).symlink_to(path)
    hf2mlx.convert(odd, os.fsdecode(b"out-\xff"), quantize=True)
    assert json.loads((Path(os.fsdecode(b"out-\xff")) / "config.json").read_text())["quantization"]["bits"] == 4
