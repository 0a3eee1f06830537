#!/usr/bin/env python3
"""Golden cases by hand: makes, writes out, refreshes and checks them. Needs numpy; `expect` needs mlx-lm (see scripts/requirements.txt).

    oracle.py new NAME FOLDER               a new case with the config and the tensor list (not the values) of a small checkpoint
    oracle.py expect NAME... [--only V,V]   runs the real mlx_lm.convert and writes what it made into the case
    oracle.py materialize NAME FOLDER       writes the checkpoint of a case
    oracle.py check NAME VARIANT FOLDER     compares a converted folder with the case
"""
import argparse
import contextlib
import hashlib
import io
import json
import shutil
import struct
import sys
import tempfile
from pathlib import Path

import numpy as np

import casefile

MASK64 = (1 << 64) - 1
ITEM_BYTES = {"BF16": 2, "F16": 2, "F32": 4, "F64": 8, "F8_E4M3": 1, "F8_E5M2": 1, "F8_E8M0": 1, "BOOL": 1,
              "U8": 1, "I8": 1, "U16": 2, "I16": 2, "U32": 4, "I32": 4, "U64": 8, "I64": 8}
FLOATS = ("BF16", "F16", "F32", "F64")
SHOWN_DIFFERENCES = 40


def seed_of(name):
    """FNV-1a, 64 bits."""
    seed = 0xCBF29CE484222325
    for byte in name.encode():
        seed = (seed ^ byte) * 0x100000001B3 & MASK64
    return seed


def random_words(seed, count):
    """The first outputs of splitmix64."""
    step, first, second = (np.uint64(k) for k in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))
    with np.errstate(over="ignore"):
        words = np.arange(1, count + 1, dtype=np.uint64) * step + np.uint64(seed)
        words = (words ^ words >> np.uint64(30)) * first
        words = (words ^ words >> np.uint64(27)) * second
    return words ^ words >> np.uint64(31)


def encode_floats(values, dtype):
    if dtype != "BF16":
        return values.astype({"F16": "<f2", "F32": "<f4", "F64": "<f8"}[dtype]).tobytes()
    wide = values.astype("<f4").view("<u4").astype(np.uint64)
    return (wide + np.uint64(0x7FFF) + (wide >> np.uint64(16) & np.uint64(1)) >> np.uint64(16)).astype("<u2").tobytes()


def fill_constant(value, count, dtype):
    if dtype in FLOATS:
        return encode_floats(np.full(count, value, np.float32), dtype)
    return np.full(count, value, f"<u{ITEM_BYTES[dtype]}").tobytes()


def fill_normal(words, dtype, positive):
    """Sum of four 16-bit lanes, centred: nearly normal, deviation about 0.018, and exact in float32."""
    lanes = sum((words >> np.uint64(shift) & np.uint64(0xFFFF)).astype(np.int64) for shift in (0, 16, 32, 48))
    values = ((lanes - 131070) * 2.0**-21).astype(np.float32)
    return encode_floats(np.abs(values) + np.float32(2.0**-10) if positive else values, dtype)


def tensor_bytes(name, dtype, shape, fill=None):
    """The values of a tensor: a function of its name alone."""
    count = int(np.prod(shape, dtype=np.int64))
    fill = fill or ("normal" if dtype in FLOATS else "fp8" if dtype == "F8_E4M3" else "bits")
    if fill in ("ones", "zeros"):
        return fill_constant(int(fill == "ones"), count, dtype)
    words = random_words(seed_of(name), count)
    if fill in ("normal", "positive"):
        return fill_normal(words, dtype, fill == "positive")
    if fill == "fp8":  # a code for NaN becomes the largest number
        codes = words.astype(np.uint8)
        return np.where(codes & 0x7F == 0x7F, codes ^ 1, codes).tobytes()
    if fill == "e8m0":  # 2^-8 to 1
        return (words % np.uint64(9) + np.uint64(119)).astype(np.uint8).tobytes()
    if fill == "bits":
        return (words & np.uint64(1) if dtype == "BOOL" else words).astype(f"<u{ITEM_BYTES[dtype]}").tobytes()
    raise ValueError(f"unknown fill {fill}")


def write_safetensors(path, blobs):
    """blobs: name -> (dtype, shape, bytes). Returns the bytes of data."""
    header, offset = {"__metadata__": {"format": "pt"}}, 0
    for name, (dtype, shape, data) in blobs.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [offset, offset + len(data)]}
        offset += len(data)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(blob[2] for blob in blobs.values()))
    return offset


def materialize(case, folder):
    folder = Path(folder)
    shutil.copytree(casefile.TOKENIZER, folder, dirs_exist_ok=True)
    for name, text in case.get("files", {}).items():
        (folder / name).write_text(text)
    (folder / "config.json").write_text(casefile.config_text(case))
    shards = {}
    for name, dtype, shape, *special in case["checkpoint"]:
        special = special[0] if special else {}
        shards.setdefault(special.get("file", 0), {})[name] = (dtype, shape, tensor_bytes(name, dtype, shape, special.get("fill")))
    count = max(shards, default=0) + 1
    if count == 1:
        write_safetensors(folder / "model.safetensors", shards.get(0, {}))
        return
    weight_map, total = {}, 0
    for i in range(count):
        shard = f"model-{i + 1:05d}-of-{count:05d}.safetensors"
        total += write_safetensors(folder / shard, shards.get(i, {}))
        weight_map.update({name: shard for name in shards.get(i, {})})
    index = {"metadata": {"total_size": total}, "weight_map": weight_map}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index, indent=2))


def read_headers(folder):
    """(path, where data begin, header) of every file of weights."""
    for path in sorted(Path(folder).glob("model*.safetensors")):
        with open(path, "rb") as file:
            length = struct.unpack("<Q", file.read(8))[0]
            header = json.loads(file.read(length))
        header.pop("__metadata__", None)
        yield path, 8 + length, header


def read_output(folder):
    """What a conversion made, as casefile.set_results wants it."""
    tensors = {}
    for path, start, header in read_headers(folder):
        with open(path, "rb") as file:
            for name, entry in header.items():
                begin, end = entry["data_offsets"]
                file.seek(start + begin)
                digest = hashlib.sha256(file.read(end - begin)).hexdigest()[:casefile.DIGEST_LENGTH]
                tensors[name] = [entry["dtype"], entry["shape"], digest]
    return {"config": json.loads((Path(folder) / "config.json").read_text()), "tensors": tensors}


def run_reference(source, target, args):
    from mlx_lm.convert import configure_parser, convert
    parsed = configure_parser().parse_args(["--hf-path", str(source), "--mlx-path", str(target), *args])
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        convert(**vars(parsed))


def reference_result(source, target, args):
    try:
        run_reference(source, target, args)
        return read_output(target)
    except (Exception, SystemExit) as error:  # a refusal is what is expected then
        first_line = f"{type(error).__name__}: {error}".split("\n")[0]
        return {"error": first_line.replace(str(source), "SOURCE")[:160].rstrip()}


def expect(name, only):
    case = casefile.load(casefile.path_of(name))
    results = casefile.results_of(case)
    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch) / "source"
        materialize(case, source)
        for variant, args in case["variants"].items():
            if not only or variant in only:
                target = Path(scratch) / variant
                results[variant] = reference_result(source, target, args)
                print(f"{name}/{variant}: {results[variant].get('error', 'converted')}", flush=True)
                shutil.rmtree(target, ignore_errors=True)
    casefile.set_results(case, {v: results[v] for v in case["variants"] if v in results})
    casefile.save(casefile.path_of(name), case)


def new(name, folder):
    folder, case = Path(folder), {}
    case["config"] = casefile.strict(json.loads((folder / "config.json").read_text()))
    generation = folder / "generation_config.json"
    case["files"] = {generation.name: generation.read_text()} if generation.exists() else {}
    case["checkpoint"] = []
    for shard, (_, _, header) in enumerate(read_headers(folder)):
        for tensor, entry in header.items():
            case["checkpoint"].append([tensor, entry["dtype"], entry["shape"]] + ([{"file": shard}] if shard else []))
    case["variants"] = casefile.STANDARD_VARIANTS
    casefile.save(casefile.path_of(name), case)


def agree(got, wanted):
    """Equal, but for a group size that mlx_lm leaves null when it comes from a recipe's default."""
    if isinstance(got, dict) and isinstance(wanted, dict):
        return set(got) == set(wanted) and all(
            key == "group_size" and wanted[key] is None or agree(got[key], wanted[key]) for key in wanted)
    return casefile.same(got, wanted)


def differences(wanted, got):
    for name in sorted(set(wanted["tensors"]) | set(got["tensors"])):
        a, b = wanted["tensors"].get(name), got["tensors"].get(name)
        if a != b:
            yield f"{name}: {b or 'nothing'}, expected {a or 'nothing'}"
    for key in sorted(set(wanted["config"]) | set(got["config"])):
        a, b = (side["config"].get(key, "<none>") for side in (wanted, got))
        if not agree(b, a):
            yield f"config {key}: {json.dumps(b)[:80]}, expected {json.dumps(a)[:80]}"


def check(name, variant, folder):
    wanted = casefile.results_of(casefile.load(casefile.path_of(name)))[variant]
    if "error" in wanted:
        print(f"mlx_lm refuses this: {wanted['error']}")
        return 0
    got = read_output(folder)
    got["config"] = casefile.strict(got["config"])
    found = list(differences(wanted, got))
    print("\n".join(found[:SHOWN_DIFFERENCES]) or "same")
    return 1 if found else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    for command, words in (("new", "name folder"), ("materialize", "name folder"), ("check", "name variant folder")):
        sub = commands.add_parser(command)
        for word in words.split():
            sub.add_argument(word)
    sub = commands.add_parser("expect")
    sub.add_argument("names", nargs="+")
    sub.add_argument("--only", type=lambda text: text.split(","))
    options = parser.parse_args()
    if options.command == "new":
        new(options.name, options.folder)
    elif options.command == "materialize":
        materialize(casefile.load(casefile.path_of(options.name)), options.folder)
    elif options.command == "check":
        sys.exit(check(options.name, options.variant, options.folder))
    else:
        for name in options.names:
            expect(name, options.only)


if __name__ == "__main__":
    main()
