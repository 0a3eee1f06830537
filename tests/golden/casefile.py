"""Reading and writing golden case files: see README.md in this folder for the format."""
import json
from pathlib import Path

HERE = Path(__file__).resolve().parent
CASES = HERE / "cases"
TOKENIZER = HERE / "tokenizer"
WIDTH = 140  # a value that fits is one line
DIGEST_LENGTH = 16  # hex digits kept of a sha256
INFINITY = "<Infinity>"  # stands for the bare word, which strict JSON has not
SECTIONS = ("config", "files", "checkpoint", "variants", "refused", "configs", "tensors")

# What every new case is converted with, unless its file says otherwise.
STANDARD_VARIANTS = {
    "plain": [],
    "q4": ["-q"],
    "q3g32": ["-q", "--q-bits", "3", "--q-group-size", "32"],
    "q8g128": ["-q", "--q-bits", "8", "--q-group-size", "128"],
    "mxfp4": ["-q", "--q-mode", "mxfp4"],
    "mixed_4_6": ["-q", "--q-group-size", "64", "--quant-predicate", "mixed_4_6"],
    "float16": ["--dtype", "float16"],
}


def path_of(name):
    return CASES / f"{name}.json"


def load(path):
    return json.loads(Path(path).read_text())


def save(path, case):
    lines = [f' "{section}": {layout(case[section], 1)}' for section in SECTIONS if case.get(section)]
    Path(path).write_text("{\n" + ",\n".join(lines) + "\n}\n")


def layout(value, depth):
    """JSON of at most WIDTH columns: a value stays on one line where it fits, else its items get a line each."""
    flat = json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    if depth > 1 and depth + len(flat) <= WIDTH or not isinstance(value, (dict, list)) or not value:
        return flat
    pad = "\n" + " " * (depth + 1)
    if isinstance(value, dict):
        items = [f"{json.dumps(key, ensure_ascii=False)}: {layout(item, depth + 1)}" for key, item in value.items()]
        return "{" + pad + ("," + pad).join(items) + "\n" + " " * depth + "}"
    return "[" + pad + ("," + pad).join(layout(item, depth + 1) for item in value) + "\n" + " " * depth + "]"


def map_values(value, change):
    if isinstance(value, dict):
        return {key: map_values(item, change) for key, item in value.items()}
    if isinstance(value, list):
        return [map_values(item, change) for item in value]
    return change(value)


def strict(value):
    """Without numbers that strict JSON cannot hold."""
    return map_values(value, lambda x: INFINITY if isinstance(x, float) and x == float("inf") else x)


def config_text(case):
    """The config.json of the checkpoint."""
    return json.dumps(case["config"], indent=2).replace(json.dumps(INFINITY), "Infinity") + "\n"


def same(a, b):
    """Equality that tells 1 from 1.0 and from true."""
    return json.dumps(a, sort_keys=True) == json.dumps(b, sort_keys=True)


def config_change(before, after):
    """What turns one config into another: top-level keys that go, and keys with their new value."""
    after = dict(after)
    change = {"drop": sorted(set(before) - set(after))}
    if "quantization" in after and same(after["quantization"], after.get("quantization_config")):
        after["quantization_config"] = "=quantization"
    change["set"] = {key: after[key] for key in sorted(after) if key not in before or not same(before[key], after[key])}
    return {key: value for key, value in change.items() if value}


def changed_config(before, change):
    """The inverse of config_change."""
    config = {key: value for key, value in before.items() if key not in change.get("drop", [])}
    config.update(change.get("set", {}))
    if config.get("quantization_config") == "=quantization":
        config["quantization_config"] = config["quantization"]
    return config


def set_results(case, results):
    """Fills the expectations of a case. results: variant -> {"error"} or {"config", "tensors": {name: [dtype, shape, digest]}}."""
    case["refused"] = {v: r["error"] for v, r in results.items() if "error" in r}
    accepted = {v: r for v, r in results.items() if "error" not in r}
    case["configs"] = {v: config_change(case["config"], strict(r["config"])) for v, r in accepted.items()}
    rows = {}  # tensor -> (dtype, shape, digest) -> variants
    for variant, result in accepted.items():
        for name, (dtype, shape, digest) in result["tensors"].items():
            key = (dtype, tuple(shape), digest[:DIGEST_LENGTH])
            rows.setdefault(name, {}).setdefault(key, []).append(variant)
    everywhere = list(accepted)
    case["tensors"] = {
        name: [["*" if users == everywhere else " ".join(users), dtype, list(shape), digest]
               for (dtype, shape, digest), users in sorted(rows[name].items(), key=lambda row: everywhere.index(row[1][0]))]
        for name in sorted(rows)
    }


def results_of(case):
    """The inverse of set_results."""
    results = {v: {"error": text} for v, text in case.get("refused", {}).items()}
    for variant, change in case.get("configs", {}).items():
        tensors = {name: row[1:] for name, rows in case["tensors"].items() for row in rows
                   if row[0] == "*" or variant in row[0].split()}
        results[variant] = {"config": changed_config(case["config"], change), "tensors": tensors}
    return results
