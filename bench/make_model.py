#!/usr/bin/env python3
"""A full-size checkpoint with random bf16 weights in the shapes of Qwen3: make_model.py FOLDER MODEL[:LAYERS]

MODEL is one of qwen3-0.6b, qwen3-1.7b, qwen3-8b, qwen3-30b-a3b; LAYERS cuts it down.
"""
import json
import shutil
import struct
import sys
from pathlib import Path

import numpy as np

TOKENIZER = Path(__file__).resolve().parents[1] / "tests" / "golden" / "tokenizer"
VOCABULARY = 151936
HEAD = 128
SHARD_BYTES = 5 * 10**9
POOL_VALUES = 1 << 26  # drawn once; tensors are pieces of it, which is as incompressible as needed
DEVIATION = 0.02

# hidden, intermediate (of an expert for a mixture), layers, heads, key and value heads, experts, tied embeddings
SHAPES = {
    "qwen3-0.6b": (1024, 3072, 28, 16, 8, 0, True),
    "qwen3-1.7b": (2048, 6144, 28, 16, 8, 0, True),
    "qwen3-8b": (4096, 12288, 36, 32, 8, 0, False),
    "qwen3-30b-a3b": (2048, 768, 48, 32, 4, 128, False),
}


def config_of(hidden, intermediate, layers, heads, kv_heads, experts, tied):
    config = {
        "architectures": ["Qwen3MoeForCausalLM" if experts else "Qwen3ForCausalLM"],
        "model_type": "qwen3_moe" if experts else "qwen3",
        "hidden_size": hidden, "intermediate_size": 6144 if experts else intermediate, "num_hidden_layers": layers,
        "num_attention_heads": heads, "num_key_value_heads": kv_heads, "head_dim": HEAD, "vocab_size": VOCABULARY,
        "attention_bias": False, "hidden_act": "silu", "max_position_embeddings": 40960, "rms_norm_eps": 1e-06, "rope_scaling": None,
        "rope_theta": 1000000, "sliding_window": None, "tie_word_embeddings": tied, "torch_dtype": "bfloat16", "use_cache": True,
        "bos_token_id": 151643, "eos_token_id": 151645,
    }
    if experts:
        config |= {"num_experts": experts, "num_experts_per_tok": 8, "moe_intermediate_size": intermediate, "decoder_sparse_step": 1,
                   "mlp_only_layers": [], "norm_topk_prob": True}
    return config


def mlp_tensors(prefix, hidden, intermediate):
    return [(f"{prefix}.gate_proj.weight", (intermediate, hidden)), (f"{prefix}.up_proj.weight", (intermediate, hidden)),
            (f"{prefix}.down_proj.weight", (hidden, intermediate))]


def layer_tensors(prefix, hidden, intermediate, heads, kv_heads, experts):
    attention = f"{prefix}.self_attn"
    out = [(f"{prefix}.input_layernorm.weight", (hidden,)), (f"{prefix}.post_attention_layernorm.weight", (hidden,)),
           (f"{attention}.q_norm.weight", (HEAD,)), (f"{attention}.k_norm.weight", (HEAD,)),
           (f"{attention}.q_proj.weight", (heads * HEAD, hidden)), (f"{attention}.k_proj.weight", (kv_heads * HEAD, hidden)),
           (f"{attention}.v_proj.weight", (kv_heads * HEAD, hidden)), (f"{attention}.o_proj.weight", (hidden, heads * HEAD))]
    if not experts:
        return out + mlp_tensors(f"{prefix}.mlp", hidden, intermediate)
    out.append((f"{prefix}.mlp.gate.weight", (experts, hidden)))
    return out + [t for e in range(experts) for t in mlp_tensors(f"{prefix}.mlp.experts.{e}", hidden, intermediate)]


def tensors_of(hidden, intermediate, layers, heads, kv_heads, experts, tied):
    out = [("model.embed_tokens.weight", (VOCABULARY, hidden))]
    for layer in range(layers):
        out += layer_tensors(f"model.layers.{layer}", hidden, intermediate, heads, kv_heads, experts)
    out.append(("model.norm.weight", (hidden,)))
    return out + ([] if tied else [("lm_head.weight", (VOCABULARY, hidden))])


def bytes_of(shape):
    return 2 * int(np.prod(shape))


def split_shards(tensors):
    shards, size = [[]], 0
    for tensor in tensors:
        if size + bytes_of(tensor[1]) > SHARD_BYTES and shards[-1]:
            shards.append([])
            size = 0
        shards[-1].append(tensor)
        size += bytes_of(tensor[1])
    return shards


def bf16_pool(generator):
    bits = (generator.standard_normal(POOL_VALUES, dtype=np.float32) * np.float32(DEVIATION)).view(np.uint32)
    return ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16).astype(np.uint16)


class Random:
    """Values to write."""

    def __init__(self):
        self.generator = np.random.default_rng(0)
        self.pool = bf16_pool(self.generator)

    def write(self, file, count):
        while count:
            begin = int(self.generator.integers(0, 1 << 20))
            piece = self.pool[begin:begin + count]
            file.write(memoryview(piece))
            count -= len(piece)


class Zeros:
    """Values that take no room on the disk."""

    def write(self, file, count):
        file.truncate(file.seek(2 * count, 1))


def write_shard(path, tensors, values):
    header, offset = {"__metadata__": {"format": "pt"}}, 0
    for name, shape in tensors:
        header[name] = {"dtype": "BF16", "shape": shape, "data_offsets": [offset, offset + bytes_of(shape)]}
        offset += bytes_of(shape)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for _, shape in tensors:
            values.write(file, bytes_of(shape) // 2)
    return offset


def make(folder, model, values=None):
    """Of random values, if no others are given. Returns the bytes of its weights."""
    name, _, layers = model.partition(":")
    shape = list(SHAPES[name])
    if layers:
        shape[2] = int(layers)
    folder = Path(folder)
    shutil.copytree(TOKENIZER, folder, dirs_exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config_of(*shape), indent=2))
    values, weight_map, total = values or Random(), {}, 0
    shards = split_shards(tensors_of(*shape))
    for i, tensors in enumerate(shards, 1):
        file = f"model-{i:05d}-of-{len(shards):05d}.safetensors" if len(shards) > 1 else "model.safetensors"
        total += write_shard(folder / file, tensors, values)
        weight_map |= {tensor: file for tensor, _ in tensors}
    if len(shards) > 1:
        (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {"total_size": total}, "weight_map": weight_map}))
    return total


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[2].partition(":")[0] not in SHAPES:
        sys.exit(__doc__)
    print(f"{make(*sys.argv[1:]) / 1e9:.1f} GB in {sys.argv[1]}")
