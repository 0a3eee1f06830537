#!/usr/bin/env python3
"""Stores a layer as other tools quantize it, in plain Python, so that its values are known.

    source_layer.py FORMAT MODEL OUT         a copy of MODEL, one layer of which has codes in that format
    source_layer.py FORMAT MODEL OUT FLOATS  compares FLOATS, which `hf2mlx convert OUT FLOATS -d` has made, with what the format says

The codes are drawn at random; the scales are such that no rounding is left to chance. docs/formats.md has a picture of each format.
"""
import json
import random
import shutil
import struct
import sys
from pathlib import Path

from tensor_files import E2M1, bf16_bytes, e4m3, f32, numbers, pack, read_header, read_tensor, write_file

LAYER = "model.layers.0.self_attn.k_proj"
OUTPUTS, INPUTS = 128, 256
GROUP = 128
GROUPS = INPUTS // GROUP
AWQ_ORDER = [0, 2, 4, 6, 1, 3, 5, 7]


def random_codes(bits, low=0):
    """[output][input]"""
    draw = random.Random(bits)
    return [[draw.randrange(low, 1 << bits) for _ in range(INPUTS)] for _ in range(OUTPUTS)]


def scale(output, group):
    return (1 + (output + group) % 7) / 64


def f16_bytes(values):
    return struct.pack(f"<{len(values)}e", *values)


def f32_bytes(values):
    return struct.pack(f"<{len(values)}f", *values)


def words(columns, bits):
    """Codes one after the other in words of 32 bits, for each list of codes."""
    return [struct.unpack(f"<{len(codes) * bits // 32}i", pack(codes, bits)) for codes in columns]


def i32_bytes(rows):
    return b"".join(struct.pack(f"<{len(row)}i", *row) for row in rows)


def transposed(rows):
    return [list(column) for column in zip(*rows)]


def fp8():
    """A code is a float; 128 x 128 of them share a scale."""
    codes = [[code if code & 127 != 127 else 0 for code in row] for row in random_codes(8)]
    scales = [[scale(row, col) for col in range(INPUTS // 128)] for row in range(OUTPUTS // 128)]
    tensors = {".weight": ("F8_E4M3", [OUTPUTS, INPUTS], bytes(sum(codes, []))),
               ".weight_scale_inv": ("F32", [1, 2], f32_bytes(sum(scales, [])))}
    values = [[e4m3(codes[o][i]) * scales[o // 128][i // 128] for i in range(INPUTS)] for o in range(OUTPUTS)]
    return {"quant_method": "fp8", "weight_block_size": [128, 128]}, tensors, values


def integers(bits, zeros):
    """(codes, zero points [output][group], values) of (code - zero) * scale."""
    codes = random_codes(bits)
    values = [[(codes[o][i] - zeros[o][i // GROUP]) * scale(o, i // GROUP) for i in range(INPUTS)] for o in range(OUTPUTS)]
    return codes, values


def gptq(bits, checkpoint_format):
    """Words run down the inputs. Zero points are one too low, but for v2."""
    low = 1 if checkpoint_format == "gptq" else 0
    zeros = [[max(low, (o + 3 * g) % (1 << bits)) for g in range(GROUPS)] for o in range(OUTPUTS)]
    codes, values = integers(bits, zeros)
    stored = transposed([[zero - low for zero in row] for row in zeros])
    tensors = {".qweight": ("I32", [INPUTS * bits // 32, OUTPUTS], i32_bytes(transposed(words(codes, bits)))),
               ".qzeros": ("I32", [GROUPS, OUTPUTS * bits // 32], i32_bytes(words(stored, bits))),
               ".scales": ("F16", [GROUPS, OUTPUTS], f16_bytes([scale(o, g) for g in range(GROUPS) for o in range(OUTPUTS)])),
               ".g_idx": ("I32", [INPUTS], i32_bytes([[i // GROUP for i in range(INPUTS)]]))}
    return {"quant_method": "gptq", "bits": bits, "group_size": GROUP, "checkpoint_format": checkpoint_format}, tensors, values


def interleaved(row):
    """AWQ's order within each word."""
    return [row[word + place] for word in range(0, len(row), 8) for place in AWQ_ORDER]


def awq():
    """Words run along the outputs."""
    zeros = [[(o + 5 * g) % 16 for g in range(GROUPS)] for o in range(OUTPUTS)]
    codes, values = integers(4, zeros)
    tensors = {".qweight": ("I32", [INPUTS, OUTPUTS // 8], i32_bytes(words(map(interleaved, transposed(codes)), 4))),
               ".qzeros": ("I32", [GROUPS, OUTPUTS // 8], i32_bytes(words(map(interleaved, transposed(zeros)), 4))),
               ".scales": ("F16", [GROUPS, OUTPUTS], f16_bytes([scale(o, g) for g in range(GROUPS) for o in range(OUTPUTS)]))}
    return {"quant_method": "awq", "bits": 4, "group_size": GROUP, "version": "gemm"}, tensors, values


def compressed(format_name, bits, kind, symmetric=True):
    weights = {"num_bits": bits, "type": kind, "symmetric": symmetric, "strategy": "group", "group_size": GROUP if kind == "int" else 16}
    return {"quant_method": "compressed-tensors", "format": format_name, "config_groups": {"group_0": {"targets": ["Linear"], "weights": weights}}}


def pack_quantized(symmetric):
    """Words run along the inputs. Without zero points a code is half of the range too high."""
    zeros = [[8 if symmetric else (o + g) % 16 for g in range(GROUPS)] for o in range(OUTPUTS)]
    codes, values = integers(4, zeros)
    tensors = {".weight_packed": ("I32", [OUTPUTS, INPUTS // 8], i32_bytes(words(codes, 4))),
               ".weight_scale": ("BF16", [OUTPUTS, GROUPS], bf16_bytes([scale(o, g) for o in range(OUTPUTS) for g in range(GROUPS)])),
               ".weight_shape": ("I64", [2], struct.pack("<2q", OUTPUTS, INPUTS))}
    if not symmetric:
        tensors[".weight_zero_point"] = ("I32", [OUTPUTS // 8, GROUPS], i32_bytes(transposed(words(transposed(zeros), 4))))
    return compressed("pack-quantized", 4, "int", symmetric), tensors, values


def nvfp4(method):
    """Two codes in a byte, the lower half first; a float of eight bits for each 16 values, and a float for all."""
    codes = random_codes(4)
    small = [[0x30 + (o + g) % 8 for g in range(INPUTS // 16)] for o in range(OUTPUTS)]
    whole = 1 / 16
    values = [[E2M1[codes[o][i]] * e4m3(small[o][i // 16]) * whole for i in range(INPUTS)] for o in range(OUTPUTS)]
    packed = ("U8", [OUTPUTS, INPUTS // 2], pack(sum(codes, []), 4))
    scales = ("F8_E4M3", [OUTPUTS, INPUTS // 16], bytes(sum(small, [])))
    if method == "modelopt":
        tensors = {".weight": packed, ".weight_scale": scales, ".weight_scale_2": ("F32", [], f32_bytes([whole]))}
        return {"quant_method": "modelopt", "quant_algo": "NVFP4", "group_size": 16}, tensors, values
    tensors = {".weight_packed": packed, ".weight_scale": scales, ".weight_global_scale": ("F32", [1], f32_bytes([1 / whole]))}
    return compressed("nvfp4-pack-quantized", 4, "float"), tensors, values


def mxfp4():
    """The same with an exponent of two for each 32 values, and nothing for all: MLX's own layout."""
    codes = random_codes(4)
    exponents = [[120 + (o + g) % 9 for g in range(INPUTS // 32)] for o in range(OUTPUTS)]
    values = [[E2M1[codes[o][i]] * 2.0 ** (exponents[o][i // 32] - 127) for i in range(INPUTS)] for o in range(OUTPUTS)]
    tensors = {".weight_packed": ("U8", [OUTPUTS, INPUTS // 2], pack(sum(codes, []), 4)),
               ".weight_scale": ("U8", [OUTPUTS, INPUTS // 32], bytes(sum(exponents, [])))}
    return compressed("mxfp4-pack-quantized", 4, "float"), tensors, values


def nf4():
    """Two codes in a byte, the upper half first, in blocks of 64 over the whole matrix; the blocks' scales are codes themselves."""
    codes = random_codes(4)
    table = [f32((code - 7) / 8) for code in range(16)]
    nested_table = [f32(2.0 ** -(code % 5)) for code in range(256)]
    count = OUTPUTS * INPUTS
    coded = [block % 5 for block in range(count // 64)]
    nested, offset = [0.25, 0.5], 0.0
    flat = [table[code] * (nested_table[coded[i // 64]] * nested[i // 64 // 256] + offset) for i, code in enumerate(sum(codes, []))]
    pairs = iter(sum(codes, []))
    state = json.dumps({"quant_type": "nf4", "blocksize": 64, "dtype": "bfloat16", "shape": [OUTPUTS, INPUTS], "nested_blocksize": 256,
                        "nested_dtype": "float32", "nested_offset": offset}).encode()
    tensors = {".weight": ("U8", [count // 2, 1], bytes(first << 4 | second for first, second in zip(pairs, pairs))),
               ".weight.quant_map": ("F32", [16], f32_bytes(table)),
               ".weight.absmax": ("U8", [count // 64], bytes(coded)),
               ".weight.nested_absmax": ("F32", [2], f32_bytes(nested)),
               ".weight.nested_quant_map": ("F32", [256], f32_bytes(nested_table)),
               ".weight.quant_state.bitsandbytes__nf4": ("U8", [len(state)], state)}
    settings = {"quant_method": "bitsandbytes", "load_in_4bit": True, "bnb_4bit_quant_type": "nf4", "bnb_4bit_use_double_quant": True}
    return settings, tensors, [flat[o * INPUTS:(o + 1) * INPUTS] for o in range(OUTPUTS)]


def int8():
    """A signed byte, a scale for each row that belongs to 127."""
    codes = [[code - 128 for code in row] for row in random_codes(8, 1)]
    rows = [2.0 ** -(o % 5) for o in range(OUTPUTS)]
    tensors = {".weight": ("I8", [OUTPUTS, INPUTS], bytes(code & 255 for code in sum(codes, []))),
               ".SCB": ("F32", [OUTPUTS], f32_bytes([127 * row for row in rows]))}
    return {"quant_method": "bitsandbytes", "load_in_8bit": True}, tensors, [[code * rows[o] for code in codes[o]] for o in range(OUTPUTS)]


def bitnet():
    """Four ternary codes in a byte: those of rows a quarter of the height apart. One scale, which values are divided by."""
    codes = [[code % 3 for code in row] for row in random_codes(8)]
    quarter = OUTPUTS // 4
    packed = [sum(codes[row + part * quarter][i] << 2 * part for part in range(4)) for row in range(quarter) for i in range(INPUTS)]
    whole = 4.0
    tensors = {".weight": ("U8", [quarter, INPUTS], bytes(packed)), ".weight_scale": ("BF16", [1], bf16_bytes([whole]))}
    return {"quant_method": "bitnet"}, tensors, [[(code - 1) / whole for code in row] for row in codes]


FORMATS = {
    "fp8": fp8,
    "gptq": lambda: gptq(4, "gptq"),
    "gptq-v2": lambda: gptq(4, "gptq_v2"),
    "gptq-3bit": lambda: gptq(3, "gptq"),
    "awq": awq,
    "pack-quantized": lambda: pack_quantized(True),
    "pack-quantized-zeros": lambda: pack_quantized(False),
    "nvfp4-pack-quantized": lambda: nvfp4("compressed-tensors"),
    "nvfp4-modelopt": lambda: nvfp4("modelopt"),
    "mxfp4-pack-quantized": mxfp4,
    "bnb-nf4": nf4,
    "bnb-int8": int8,
    "bitnet": bitnet,
}


def write_model(model, out, settings, tensors):
    shutil.copytree(model, out)
    config = json.loads((out / "config.json").read_text())
    (out / "config.json").write_text(json.dumps(config | {"quantization_config": settings}))
    (out / "model.safetensors.index.json").unlink()
    everything = {}
    for path in sorted(out.glob("*.safetensors")):
        data = path.read_bytes()
        everything |= {name: (dtype, shape, data[begin:end]) for name, (dtype, shape, begin, end) in read_header(path)[0].items()}
        path.unlink()
    del everything[LAYER + ".weight"]
    write_file(out / "model.safetensors", everything | {LAYER + ending: tensor for ending, tensor in tensors.items()})


def main():
    format_name, model, out, *floats = sys.argv[1:]
    settings, tensors, values = FORMATS[format_name]()
    if not floats:
        return write_model(Path(model), Path(out), settings, tensors)
    dtype, shape, data = read_tensor(floats[0], LAYER + ".weight")
    expected, found = sum(values, []), numbers(dtype, data)
    different = sum(a != b for a, b in zip(expected, found)) + abs(len(expected) - len(found))
    print(f"{format_name}: {len(found)} values of {dtype} {shape}, {different} different")
    sys.exit(1 if different else 0)


if __name__ == "__main__":
    main()
