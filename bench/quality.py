#!/usr/bin/env python3
"""What quantizations cost a model that means something, judged by its output: quality.py [--program build/hf2mlx] [--only PATTERN]

Each row converts examples/tiny-qwen3 (or --model), by hf2mlx or by mlx_lm.convert, loads the folder with the real mlx-lm, and lets it read
text that the model was not trained on (tiny-qwen3-heldout.u16 here, or --text: token numbers, 16 bits each). Compared with the model as it was published:

    KL          mean Kullback-Leibler divergence of the next token's probabilities, in nats; what quantizing has changed
    perplexity  of the text, lower is better; small changes drown in it
    top-1       share of the places where the likeliest token is still the same

Layers are decoded to float32 before the model runs: mlx is slow on processors without a GPU at some widths, and nothing but the codes is to be judged.
"""
import argparse
import fnmatch
import json
import shutil
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import mlx.core as mx
import numpy as np
from mlx.utils import tree_flatten
from mlx_lm.utils import dequantize_model, load_model

ROOT = Path(__file__).resolve().parents[1]

# Name, program, flags. A row of ours is compared with the one of mlx_lm above it that has as many bits.
ROWS = [
    ("mlx_lm 4 bit", "mlx_lm", "-q"),
    ("4 bit --q-fit fast", "hf2mlx", "-q --q-fit fast"),
    ("4 bit --q-fit best", "hf2mlx", "-q --q-fit best"),
    ("mlx_lm 3 bit", "mlx_lm", "-q --q-bits 3"),
    ("3 bit --q-fit fast", "hf2mlx", "-q --q-bits 3 --q-fit fast"),
    ("3 bit --q-fit best", "hf2mlx", "-q --q-bits 3 --q-fit best"),
    ("mlx_lm 2 bit", "mlx_lm", "-q --q-bits 2"),
    ("2 bit --q-fit fast", "hf2mlx", "-q --q-bits 2 --q-fit fast"),
    ("2 bit --q-fit best", "hf2mlx", "-q --q-bits 2 --q-fit best"),
    ("mlx_lm mxfp4", "mlx_lm", "-q --q-mode mxfp4"),
    ("mxfp4 --q-fit best", "hf2mlx", "-q --q-mode mxfp4 --q-fit best"),
    ("mlx_lm nvfp4", "mlx_lm", "-q --q-mode nvfp4"),
    ("nvfp4 --q-fit best", "hf2mlx", "-q --q-mode nvfp4 --q-fit best"),
    ("mlx_lm mixed_4_6", "mlx_lm", "-q --quant-predicate mixed_4_6"),
    ("--target-bpw 4.95 --q-fit best", "hf2mlx", "-q --target-bpw 4.95 --q-fit best"),
    ("--target-bpw 4.81 --q-fit best", "hf2mlx", "-q --target-bpw 4.81 --q-fit best"),
    ("mlx_lm mixed_3_6", "mlx_lm", "-q --quant-predicate mixed_3_6"),
    ("--target-bpw 4.17 --q-fit best", "hf2mlx", "-q --target-bpw 4.17 --q-fit best"),
]


def command_of(options, program, flags, out):
    if program == "mlx_lm":
        return [sys.executable, "-m", "mlx_lm", "convert", "--hf-path", options.model, "--mlx-path", out, *flags.split()]
    return [options.program, "convert", options.model, out, "--quiet", *flags.split()]


def weight_bytes(folder):
    """Of the tensors alone, without the files' headers."""
    total = 0
    for file in folder.glob("*.safetensors"):
        with open(file, "rb") as stream:
            header = json.loads(stream.read(struct.unpack("<Q", stream.read(8))[0]))
        total += sum(end - begin for begin, end in (t["data_offsets"] for name, t in header.items() if name != "__metadata__"))
    return total


def loaded(folder):
    """The model of a folder in float32."""
    model, _ = load_model(folder)
    model.set_dtype(mx.float32)
    model = dequantize_model(model)
    model.set_dtype(mx.float32)
    mx.eval(model.parameters())
    return model


class Meter:
    """Compares models with the one that it was given first, on the same text."""

    def __init__(self, model, tokens):
        self.tokens = tokens
        self.before = [self.read(model, row) for row in range(len(tokens))]
        mx.eval(self.before)

    def read(self, model, row):
        logits = model(self.tokens[row:row + 1]).astype(mx.float32)
        return logits - mx.logsumexp(logits, axis=-1, keepdims=True)

    def compare(self, model):
        """(mean KL, perplexity, share of equal first choices)"""
        divergence = surprise = equal = 0.0
        for row, before in enumerate(self.before):
            after = self.read(model, row)
            divergence += (mx.exp(before) * (before - after)).sum().item()
            surprise -= mx.take_along_axis(after[:, :-1], self.tokens[row:row + 1, 1:, None], axis=-1).sum().item()
            equal += (before.argmax(-1) == after.argmax(-1)).sum().item()
        rows, length = self.tokens.shape
        return divergence / (rows * length), float(np.exp(surprise / (rows * (length - 1)))), equal / (rows * length)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=Path, default=ROOT / "build" / "hf2mlx")
    parser.add_argument("--model", type=Path, default=ROOT / "examples" / "tiny-qwen3")
    parser.add_argument("--text", type=Path, default=ROOT / "bench" / "tiny-qwen3-heldout.u16", help="token numbers of 16 bits")
    parser.add_argument("--sequences", type=int, default=64)
    parser.add_argument("--length", type=int, default=256)
    parser.add_argument("--only", default="*", help="rows whose name matches")
    parser.add_argument("--add", action="append", default=[], metavar="FLAGS", help="one more row of hf2mlx with these flags")
    options = parser.parse_args()
    words = np.fromfile(options.text, dtype="<u2")[:options.sequences * options.length]
    tokens = mx.array(words.reshape(-1, options.length).astype(np.int32))
    original = loaded(options.model)
    parameters = sum(value.size for _, value in tree_flatten(original.parameters()))
    meter = Meter(original, tokens)
    print(f"perplexity of the original: {meter.compare(original)[1]:.3f} ({len(tokens)} x {options.length} tokens)\n")
    print("| | bits per weight | KL | perplexity | top-1 | KL beside mlx_lm |\n| --- | --- | --- | --- | --- | --- |", flush=True)
    plain = None
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        for name, program, flags in ROWS + [(flags, "hf2mlx", flags) for flags in options.add]:
            if not fnmatch.fnmatchcase(name, options.only) and flags not in options.add:
                continue
            shutil.rmtree(out, ignore_errors=True)
            subprocess.run(list(map(str, command_of(options, program, flags, out))), check=True, stdout=subprocess.DEVNULL)
            divergence, perplexity, equal = meter.compare(loaded(out))
            plain = divergence if program == "mlx_lm" else plain
            beside = "" if program == "mlx_lm" or plain is None else f"{100 * (divergence / plain - 1):+.1f} %"
            bits = 8 * weight_bytes(out) / parameters
            print(f"| {name} | {bits:.2f} | {divergence:.4f} | {perplexity:.3f} | {100 * equal:.1f} % | {beside} |", flush=True)


if __name__ == "__main__":
    main()
