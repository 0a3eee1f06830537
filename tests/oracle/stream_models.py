"""Models for the tests of streams, as small repositories of every shape, and what is compared afterwards."""
import json
import re
import struct

import numpy as np
from hub_homes import REPO

SMALL_MEMORY = ("--max-memory", "8MB")  # windows of 192 kB, so that small models have many
WINDOW = 192 << 10
LARGE = ".safetensors"


def numbers(seed, *shape):
    """bf16, of some deviation that a weight may have."""
    values = np.random.default_rng(seed).normal(0, 0.02, shape).astype(np.float32)
    return (values.view(np.uint32) >> 16).astype(np.uint16)


def safetensors(tensors):
    """A file, tensors in the order of the dict."""
    dtypes, header, offset = {"uint16": "BF16", "uint32": "U32"}, {}, 0
    for name, value in tensors.items():
        header[name] = {"dtype": dtypes[value.dtype.name], "shape": value.shape, "data_offsets": [offset, offset + value.nbytes]}
        offset += value.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + b"".join(value.tobytes() for value in tensors.values())


def repo_of(config, tensors, shards=1):
    """The files of a repository. Tensors are sorted by name, as most publishers' tools do: layer 10 comes before layer 2."""
    files = {"config.json": json.dumps(config).encode(), "README.md": b"---\nlicense: mit\n---\n# A\n", "tokenizer_config.json": b"{}"}
    names = sorted(tensors)
    parts = [names[len(names) * i // shards:len(names) * (i + 1) // shards] for i in range(shards)]
    weight_map = {}
    for i, part in enumerate(parts, 1):
        file = f"model-{i:05}-of-{shards:05}.safetensors" if shards > 1 else "model.safetensors"
        files[file] = safetensors({name: tensors[name] for name in part})
        weight_map |= {name: file for name in part}
    if shards > 1:
        files["model.safetensors.index.json"] = json.dumps({"metadata": {}, "weight_map": weight_map}).encode()
    return files


def tiny(source):
    return {path.name: path.read_bytes() for path in source.iterdir()}


def qwen3(hidden, layers, vocabulary=512):
    config = {"model_type": "qwen3", "hidden_size": hidden, "intermediate_size": 3 * hidden, "num_hidden_layers": layers,
              "num_attention_heads": hidden // 64, "num_key_value_heads": hidden // 64, "head_dim": 64, "vocab_size": vocabulary,
              "rms_norm_eps": 1e-6, "rope_theta": 10000, "max_position_embeddings": 4096, "tie_word_embeddings": True}
    shapes = {"model.embed_tokens.weight": (vocabulary, hidden), "model.norm.weight": (hidden,)}
    for layer in range(layers):
        at = f"model.layers.{layer}"
        shapes |= {f"{at}.{name}_layernorm.weight": (hidden,) for name in ("input", "post_attention")}
        shapes |= {f"{at}.self_attn.{name}_norm.weight": (64,) for name in "qk"}
        shapes |= {f"{at}.self_attn.{name}_proj.weight": (hidden, hidden) for name in "qkvo"}
        shapes |= {f"{at}.mlp.{name}_proj.weight": (3 * hidden, hidden) for name in ("gate", "up")}
        shapes[f"{at}.mlp.down_proj.weight"] = (hidden, 3 * hidden)
    return config, {name: numbers(i, *shape) for i, (name, shape) in enumerate(shapes.items())}


def experts():
    """Published one by one, in an order of their own, over three files."""
    config, tensors = qwen3(256, 2)
    config |= {"model_type": "qwen3_moe", "num_experts": 12, "num_experts_per_tok": 2, "moe_intermediate_size": 512, "decoder_sparse_step": 1,
               "mlp_only_layers": [], "norm_topk_prob": True}
    tensors = {name: value for name, value in tensors.items() if ".mlp." not in name}
    for layer in range(2):
        at = f"model.layers.{layer}.mlp"
        tensors[f"{at}.gate.weight"] = numbers(7, 12, 256)
        for e in range(12):
            tensors |= {f"{at}.experts.{e}.{name}_proj.weight": numbers(e, 512, 256) for name in ("gate", "up")}
            tensors[f"{at}.experts.{e}.down_proj.weight"] = numbers(100 + e, 256, 512)
    return repo_of(config, tensors, shards=3)


def columns():
    """GPT-2 has its matrices the other way round: each row of the output needs all of one, which is more than the windows hold."""
    config = {"model_type": "gpt2", "n_embd": 1024, "n_layer": 1, "n_head": 16, "n_ctx": 64, "n_positions": 64, "vocab_size": 512,
              "layer_norm_epsilon": 1e-5}
    shapes = {"wte.weight": (512, 1024), "wpe.weight": (64, 1024), "ln_f.weight": (1024,), "ln_f.bias": (1024,)}
    for name, size in (("attn.c_attn", (1024, 3072)), ("attn.c_proj", (1024, 1024)), ("mlp.c_fc", (1024, 4096)), ("mlp.c_proj", (4096, 1024))):
        shapes |= {f"h.0.{name}.weight": size, f"h.0.{name}.bias": size[1:]}
    for name in ("ln_1", "ln_2"):
        shapes |= {f"h.0.{name}.weight": (1024,), f"h.0.{name}.bias": (1024,)}
    return repo_of(config, {name: numbers(i, *shape) for i, (name, shape) in enumerate(shapes.items())})


def content_of(folder):
    """Of each file, but for the command line in the model card."""
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    files["README.md"] = re.sub(rb"hf2mlx convert .*", b"", files["README.md"])
    manifest = json.loads(files["hf2mlx.json"])
    manifest["files"].pop("README.md")
    return files | {"hf2mlx.json": manifest}


def stream(home, *args, out="out", **env):
    return json.loads(home.ours("convert", REPO, home.folder / out, "--stream", "--json", "--quiet", *args, **env))


def expected(homes, *args):
    """What a conversion of the downloaded model gives."""
    home = homes("downloaded")
    home.ours("convert", REPO, home.folder / "out", "--quiet", *args)
    return content_of(home.folder / "out")


def weight_bytes(files):
    return sum(len(content) for name, content in files.items() if name.endswith(LARGE))


def other_bytes(files):
    return sum(len(content) for name, content in files.items() if not name.endswith(LARGE))


def asked_bytes(hub):
    """That were asked of the storage."""
    total = 0
    for request in hub.requests("storage", LARGE):
        begin, end = re.fullmatch(r"bytes=(\d+)-(\d+)", request["headers"]["Range"]).groups()
        total += int(end) + 1 - int(begin)
    return total


def left_overs(home):
    return [path for path in home.folder.iterdir() if path.name.startswith(".out.")]
