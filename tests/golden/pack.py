#!/usr/bin/env python3
"""Packs golden cases from a loose form into cases/NAME.json.

    pack.py FOLDER...           a folder for each case: config.json, tensors.json, expected/VARIANT.json and other small files
    pack.py --check FOLDER...   compares the packed cases with the folders instead

tensors.json is a list of {"name", "dtype", "shape", "fill"?, "file"?}; expected/VARIANT.json holds "args" and either "error" or
"config" and "tensors" (name -> [dtype, shape, sha256]); variants.json, when there is one, is not part of the checkpoint.
"""
import argparse
import json
import re
import sys
from pathlib import Path

import casefile

NOT_SHIPPED = {"config.json", "tensors.json", "variants.json"}
ERROR_LENGTH = 160


def read_expectation(path):
    loose = json.loads(path.read_text())
    if "error" in loose:  # without the folder it happened in
        loose["error"] = re.sub(r"/tmp/\S+?/src\b", "SOURCE", loose["error"].split("\n")[0])[:ERROR_LENGTH].rstrip()
    else:
        loose["tensors"] = {k: [d, s, h[:casefile.DIGEST_LENGTH]] for k, (d, s, h) in loose["tensors"].items()}
    return loose


def variant_order(name):
    standard = list(casefile.STANDARD_VARIANTS)
    return (standard.index(name), "") if name in standard else (len(standard), name)


def read_folder(folder):
    """The case, and its expectations as they stand in the folder."""
    tensors = json.loads((folder / "tensors.json").read_text())
    case = {"config": casefile.strict(json.loads((folder / "config.json").read_text()))}
    case["files"] = {p.name: p.read_text() for p in sorted(folder.iterdir()) if p.is_file() and p.name not in NOT_SHIPPED}
    case["checkpoint"] = []
    for tensor in tensors:
        row = [tensor["name"], tensor["dtype"], tensor["shape"]]
        special = {key: tensor[key] for key in ("fill", "file") if tensor.get(key)}
        case["checkpoint"].append(row + [special] if special else row)
    loose = {p.stem: read_expectation(p) for p in sorted((folder / "expected").glob("*.json"), key=lambda p: variant_order(p.stem))}
    case["variants"] = {name: expectation["args"] for name, expectation in loose.items()}
    return case, loose


def differs(case, loose):
    results = casefile.results_of(case)
    keys = ("config", "tensors", "error")
    return [v for v in set(results) | set(loose)
            if any(not casefile.same(casefile.strict(results.get(v, {}).get(k)), casefile.strict(loose.get(v, {}).get(k))) for k in keys)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("folders", nargs="+", type=Path)
    options = parser.parse_args()
    bad = 0
    for folder in options.folders:
        case, loose = read_folder(folder)
        target = casefile.path_of(folder.name)
        if not options.check:
            casefile.set_results(case, loose)
            target.parent.mkdir(exist_ok=True)
            casefile.save(target, case)
        packed = casefile.load(target)
        wrong = differs(packed, loose) + [k for k in case if not casefile.same(case[k], packed.get(k, case[k] and None or case[k]))]
        if wrong:
            print(f"{folder.name}: {', '.join(map(str, wrong))} differ")
            bad += 1
    print(f"{len(options.folders)} cases, {bad} differ")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
