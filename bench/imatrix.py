#!/usr/bin/env python3
"""Makes an importance matrix of a model with the real mlx-lm, as llama-imatrix would: imatrix.py MODEL OUT.gguf TEXT... [--tokens N]

For models whose layers have the usual names. The texts should resemble what the model is used for, and not be what it is judged by.
"""
import argparse
import re
from pathlib import Path

import gguf
import mlx.core as mx
import mlx.nn as nn
import numpy as np
from mlx_lm import load

NAMES = {"q_proj": "attn_q", "k_proj": "attn_k", "v_proj": "attn_v", "o_proj": "attn_output", "gate_proj": "ffn_gate", "up_proj": "ffn_up",
         "down_proj": "ffn_down"}
CHUNK = 256


def gguf_name(path):
    layer = re.fullmatch(r"model\.layers\.(\d+)\.\w+\.(\w+)", path)
    if layer and layer[2] in NAMES:
        return f"blk.{layer[1]}.{NAMES[layer[2]]}"
    return "output" if path == "lm_head" else None


class Watched(nn.Module):
    """A linear layer that sums the squares of what it is given."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer
        self.sums = 0
        self.count = 0

    def __call__(self, x):
        rows = x.reshape(-1, x.shape[-1]).astype(mx.float32)
        self.sums = self.sums + np.array((rows * rows).sum(0), np.float64)
        self.count += rows.shape[0]
        return self.layer(x)


def watch(model):
    watched = {gguf_name(path): Watched(module) for path, module in model.named_modules() if isinstance(module, nn.Linear) and gguf_name(path)}
    model.update_modules(_tree({path: watched[gguf_name(path)] for path, module in model.named_modules() if gguf_name(path) in watched}))
    return watched


def _tree(flat):
    from mlx.utils import tree_unflatten
    return tree_unflatten(list(flat.items()))


def write(path, watched, texts):
    writer = gguf.GGUFWriter(path, "")
    writer.add_type("imatrix")
    writer.add_array("imatrix.datasets", [text.name for text in texts])
    writer.add_uint32("imatrix.chunk_size", CHUNK)
    for name, layer in sorted(watched.items()):
        writer.add_tensor(f"{name}.weight.in_sum2", layer.sums.astype(np.float32).reshape(1, -1))
        writer.add_tensor(f"{name}.weight.counts", np.array([[layer.count]], np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("out", type=Path)
    parser.add_argument("texts", nargs="+", type=Path)
    parser.add_argument("--tokens", type=int, default=16384)
    options = parser.parse_args()
    model, tokenizer = load(options.model)
    watched = watch(model)
    tokens = []
    for text in options.texts:
        tokens += tokenizer.encode(text.read_text(errors="ignore"))
        if len(tokens) >= options.tokens:
            break
    for begin in range(0, min(len(tokens), options.tokens) - CHUNK + 1, CHUNK):
        mx.eval(model(mx.array([tokens[begin:begin + CHUNK]])))
    write(options.out, watched, options.texts)


if __name__ == "__main__":
    main()
