#!/usr/bin/env python3
"""What the error of a single layer costs a model: layers.py TEXT... [--program build/hf2mlx] [--model DIR] [--layers PATTERN]

Each layer that PATTERN matches is encoded at 3 bits alone, the others stay as they are, and the output is compared with that of the whole model: the
mean KL divergence, the layer's relative squared error, and the one over the other, which docs/quality.md compares with its table.
"""
import argparse
import fnmatch
import subprocess
import tempfile
from pathlib import Path

import mlx.core as mx
import mlx.nn as nn
from mlx_lm.utils import load_model, load_tokenizer

ROOT = Path(__file__).resolve().parents[1]
LENGTH = 256


def log_probabilities(model, tokens):
    logits = model(tokens).astype(mx.float32)
    return logits - mx.logsumexp(logits, axis=-1, keepdims=True)


def encoded(options, path):
    """The layer's weight once it was encoded and decoded again."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        subprocess.run([options.program, "convert", options.model, out, "-q", "--q-fit", "best", "--q-override", "*=keep", "--q-override",
                        f"{path}={options.bits}:64", "--quiet"], check=True)
        tensors = {k: v for file in out.glob("*.safetensors") for k, v in mx.load(str(file)).items() if k.startswith(f"{path}.")}
        weight = mx.dequantize(*(tensors[f"{path}.{part}"] for part in ("weight", "scales", "biases")), 64, options.bits).astype(mx.float32)
        mx.eval(weight)
        return weight


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("texts", nargs="+", type=Path)
    parser.add_argument("--program", default=ROOT / "build" / "hf2mlx")
    parser.add_argument("--model", type=Path, default=ROOT / "examples" / "tiny-qwen3")
    parser.add_argument("--layers", default="*")
    parser.add_argument("--sequences", type=int, default=5)
    parser.add_argument("--bits", type=int, default=3)
    options = parser.parse_args()
    model, _ = load_model(options.model)
    model.set_dtype(mx.float32)
    tokenizer = load_tokenizer(options.model)
    words = [tokenizer.encode(text.read_text(errors="ignore"))[:LENGTH] for text in options.texts]
    tokens = mx.array([sequence for sequence in words if len(sequence) == LENGTH][:options.sequences])
    full = log_probabilities(model, tokens)
    print("| layer | KL | relative error | KL / relative error |\n| --- | --- | --- | --- |")
    for path, module in model.named_modules():
        if not isinstance(module, (nn.Linear, nn.Embedding)) or not fnmatch.fnmatchcase(path, options.layers):
            continue
        before = module.weight
        module.weight = encoded(options, path)
        error = (((module.weight - before) ** 2).sum() / (before ** 2).sum()).item()
        divergence = (mx.exp(full) * (full - log_probabilities(model, tokens))).sum(-1).mean().item()
        print(f"| {path} | {divergence:.5f} | {error:.5f} | {divergence / error:.3f} |", flush=True)
        module.weight = before


if __name__ == "__main__":
    main()
