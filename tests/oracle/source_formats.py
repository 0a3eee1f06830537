"""Layers as other tools quantize them, written from the definitions of their formats in plain numpy, with the values that they stand for.

Nothing here is shared with the program: codes and scales are drawn at random, packed bit by bit, and their values computed as the format
defines them. A tensor is (dtype as safetensors names it, array whose bytes are stored).
"""
import json

import numpy as np

E2M1 = np.array([0, 0.5, 1, 1.5, 2, 3, 4, 6, -0.0, -0.5, -1, -1.5, -2, -3, -4, -6], np.float32)
AWQ_ORDER = {4: [0, 2, 4, 6, 1, 3, 5, 7], 8: [0, 2, 1, 3]}


def bf16(values):
    """The bits of the nearest bfloat16, ties to even."""
    bits = np.ascontiguousarray(values, np.float32).view(np.uint32).astype(np.uint64)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)


def floats(dtype, values):
    """A tensor of `values` rounded once."""
    return dtype, {"BF16": bf16, "F16": lambda v: v.astype(np.float16), "F32": lambda v: v.astype(np.float32)}[dtype](values)


def numbers(tensor):
    """The numbers of a tensor of floats, as float32."""
    dtype, stored = tensor
    if dtype == "BF16":
        return (stored.astype(np.uint32) << 16).view(np.float32)
    return {"F8_E4M3": e4m3, "F8_E5M2": e5m2, "F8_E8M0": exponents}[dtype](stored) if dtype.startswith("F8") else stored.astype(np.float32)


def small_float(codes, exponent_bits, mantissa_bits, bias):
    codes = codes.astype(np.int64)
    exponent = (codes >> mantissa_bits) & ((1 << exponent_bits) - 1)
    mantissa = (codes & ((1 << mantissa_bits) - 1)) / (1 << mantissa_bits)
    magnitude = np.where(exponent == 0, mantissa * 2.0 ** (1 - bias), (1 + mantissa) * 2.0 ** (exponent - bias))
    return np.where(codes >> (exponent_bits + mantissa_bits), -magnitude, magnitude).astype(np.float32)


def e4m3(codes):
    return small_float(codes, 4, 3, 7)


def e5m2(codes):
    return small_float(codes, 5, 2, 15)


def e2m3(codes):
    return small_float(codes, 2, 3, 1)


def exponents(codes):
    return (2.0 ** (codes.astype(np.float64) - 127)).astype(np.float32)


def pack_bits(codes, bits):
    """Rows of codes as rows of bytes, one code after the other from the lowest bits on; a row is filled up to whole words of 32 bits."""
    rows, cols = codes.shape
    padded = np.zeros((rows, -(-cols * bits // 32) * 32), np.uint8)
    padded[:, :cols * bits] = ((codes[:, :, None].astype(np.uint16) >> np.arange(bits)) & 1).reshape(rows, -1)
    return np.packbits(padded, axis=1, bitorder="little")


def words(codes, bits):
    return "I32", pack_bits(codes, bits).view(np.int32)


def spread(per_group, size, cols):
    """[rows, groups] for each column; the last group may be partial."""
    return np.repeat(per_group, size, axis=1)[:, :cols]


def draw_scales(rng, shape, dtype):
    return floats(dtype, (rng.uniform(0.5, 2, shape) * 2.0 ** rng.integers(-9, -4, shape)).astype(np.float32))


def draw_fp8(rng, shape, kind):
    codes = rng.integers(0, 256, shape).astype(np.uint8)
    if kind == "F8_E4M3":
        codes[(codes & 0x7F) == 0x7F] = 0
    else:
        codes[(codes & 0x7C) >= 0x6C] = 1  # neither infinite nor near it
    return codes


def fp8(rng, out, cols, block=(128, 128), kind="F8_E4M3", scale_dtype="F32", ending=".weight_scale_inv", grid="block"):
    """`grid`: block, row or tensor."""
    codes = draw_fp8(rng, (out, cols), kind)
    high, wide = {"block": block, "row": (1, cols), "tensor": (out, cols)}[grid]
    shape = (-(-out // high), -(-cols // wide))
    scales = ("F8_E8M0", rng.integers(110, 125, shape).astype(np.uint8)) if scale_dtype == "F8_E8M0" else draw_scales(rng, shape, scale_dtype)
    each = np.repeat(np.repeat(numbers(scales), high, 0), wide, 1)[:out, :cols]
    values = numbers((kind, codes)) * each
    stored = (scales[0], scales[1].reshape(()) if grid == "tensor" else scales[1])
    return {".weight": (kind, codes), ending: stored}, values, "BF16"


def mxfp8(rng, out, cols, scale_dtype="U8"):
    codes, scales = draw_fp8(rng, (out, cols), "F8_E4M3"), rng.integers(110, 125, (out, cols // 32)).astype(np.uint8)
    return {".weight": ("F8_E4M3", codes), ".weight_scale": (scale_dtype, scales)}, e4m3(codes) * spread(exponents(scales), 32, cols), "BF16"


def mxfp6(rng, out, cols):
    codes, scales = rng.integers(0, 64, (out, cols)).astype(np.uint8), rng.integers(110, 125, (out, cols // 32)).astype(np.uint8)
    return {".weight_packed": ("U8", pack_bits(codes, 6)), ".weight_scale": ("U8", scales)}, e2m3(codes) * spread(exponents(scales), 32, cols), "BF16"


def mxfp4(rng, out, cols):
    codes, scales = rng.integers(0, 16, (out, cols)).astype(np.uint8), rng.integers(110, 125, (out, cols // 32)).astype(np.uint8)
    return {".weight_packed": ("U8", pack_bits(codes, 4)), ".weight_scale": ("U8", scales)}, E2M1[codes] * spread(exponents(scales), 32, cols), "BF16"


def nvfp4(rng, out, cols, tool="compressed-tensors"):
    codes, scales = rng.integers(0, 16, (out, cols)).astype(np.uint8), rng.integers(1, 0x7F, (out, cols // 16)).astype(np.uint8)
    whole = np.float32(rng.uniform(0.001, 0.01))
    if tool == "modelopt":
        tensors = {".weight": ("U8", pack_bits(codes, 4)), ".weight_scale": ("F8_E4M3", scales), ".weight_scale_2": ("F32", np.array(whole))}
        each = e4m3(scales) * whole
    else:
        inverse = np.float32(1) / whole
        tensors = {".weight_packed": ("U8", pack_bits(codes, 4)), ".weight_scale": ("F8_E4M3", scales),
                   ".weight_global_scale": ("F32", np.array([inverse]))}
        each = e4m3(scales) / inverse
    return tensors, E2M1[codes] * spread(each, 16, cols), "BF16"


def integer_values(codes, zeros, scales, group_of):
    """(code - zero) * scale, exact until it is rounded once."""
    return ((codes.astype(np.float32) - zeros[:, group_of]) * numbers(scales)[:, group_of]).astype(np.float32)


def groups_of(rng, cols, size, shuffled):
    groups = np.arange(cols) // size
    return rng.permutation(groups) if shuffled else groups


def pack_quantized(rng, out, cols, bits=4, size=128, symmetric=True, actorder=False, dtype="BF16"):
    """`size` 0: a scale for each row."""
    count = -(-cols // (size or cols))
    codes, scales = rng.integers(0, 1 << bits, (out, cols)).astype(np.uint8), draw_scales(rng, (out, count), dtype)
    zeros = np.full((out, count), 1 << (bits - 1)) if symmetric else rng.integers(0, 1 << bits, (out, count))
    group_of = groups_of(rng, cols, size or cols, actorder)
    tensors = {".weight_packed": words(codes, bits), ".weight_scale": scales, ".weight_shape": ("I64", np.array([out, cols]))}
    if not symmetric:
        tensors[".weight_zero_point"] = ("I32", np.ascontiguousarray(words(zeros.T, bits)[1].T))
    if actorder:
        tensors[".weight_g_idx"] = ("I32", group_of.astype(np.int32))
    return tensors, integer_values(codes, zeros, scales, group_of), dtype


def int_quantized(rng, out, cols, size=0, symmetric=True, dtype="BF16"):
    count = -(-cols // (size or cols))
    codes, scales = rng.integers(-128, 128, (out, cols)).astype(np.int8), draw_scales(rng, (out, count), dtype)
    zeros = np.zeros((out, count), np.int8) if symmetric else rng.integers(-128, 128, (out, count)).astype(np.int8)
    tensors = {".weight": ("I8", codes), ".weight_scale": scales}
    if not symmetric:
        tensors[".weight_zero_point"] = ("I8", zeros)
    return tensors, integer_values(codes, zeros, scales, np.arange(cols) // (size or cols)), dtype


def gptq(rng, out, cols, bits=4, size=128, version=1, act_order=False, dtype="F16"):
    """`size` -1: a scale for each row."""
    size = cols if size == -1 else size
    count = -(-cols // size)
    codes, scales = rng.integers(0, 1 << bits, (out, cols)).astype(np.uint8), draw_scales(rng, (out, count), dtype)
    stored = rng.integers(0, 1 << bits, (out, count))
    zeros = (stored + 1) % (1 << bits) if version == 1 else stored
    group_of = groups_of(rng, cols, size, act_order)
    tensors = {".qweight": ("I32", np.ascontiguousarray(words(codes, bits)[1].T)), ".qzeros": words(stored.T, bits),
               ".scales": (scales[0], np.ascontiguousarray(scales[1].T)), ".g_idx": ("I32", group_of.astype(np.int32))}
    return tensors, integer_values(codes, zeros, scales, group_of), dtype


def interleaved(codes, bits):
    order = AWQ_ORDER[bits]
    return codes.reshape(len(codes), -1, len(order))[:, :, order].reshape(codes.shape)


def awq(rng, out, cols, bits=4, size=128, zeros_stored=True, dtype="F16"):
    size = cols if size == -1 else size
    count = cols // size
    codes, scales = rng.integers(0, 1 << bits, (out, cols)).astype(np.uint8), draw_scales(rng, (out, count), dtype)
    zeros = rng.integers(0, 1 << bits, (out, count)) if zeros_stored else np.full((out, count), 1 << (bits - 1))
    tensors = {".qweight": words(interleaved(codes.T, bits), bits), ".scales": (scales[0], np.ascontiguousarray(scales[1].T))}
    if zeros_stored:
        tensors[".qzeros"] = words(interleaved(zeros.T, bits), bits)
    return tensors, integer_values(codes, zeros, scales, np.arange(cols) // size), dtype


def bnb_four_bits(rng, out, cols, kind="nf4", nested=True, block=64, dtype="bfloat16"):
    codes = rng.integers(0, 16, out * cols)
    table = np.sort(rng.uniform(-1, 1, 16)).astype(np.float32)
    count = -(-out * cols // block)
    state = {"quant_type": kind, "blocksize": block, "dtype": dtype, "shape": [out, cols]}
    tensors = {".weight": ("U8", (codes[0::2] << 4 | codes[1::2]).astype(np.uint8)[:, None]), ".weight.quant_map": ("F32", table)}
    if nested:
        coded, nested_table = rng.integers(0, 256, count).astype(np.uint8), np.sort(rng.uniform(-1, 1, 256)).astype(np.float32)
        nested_scales, offset = rng.uniform(0.01, 0.1, -(-count // 256)).astype(np.float32), np.float32(rng.uniform(0.01, 0.1))
        state |= {"nested_blocksize": 256, "nested_dtype": "float32", "nested_offset": float(offset)}
        tensors |= {".weight.absmax": ("U8", coded), ".weight.nested_absmax": ("F32", nested_scales), ".weight.nested_quant_map": ("F32", nested_table)}
        scales = nested_table[coded] * np.repeat(nested_scales, 256)[:count] + offset
    else:
        scales = rng.uniform(0.01, 0.1, count).astype(np.float32)
        tensors[".weight.absmax"] = ("F32", scales)
    tensors[f".weight.quant_state.bitsandbytes__{kind}"] = ("U8", np.frombuffer(json.dumps(state).encode(), np.uint8))
    values = table[codes] * np.repeat(scales, block)[:out * cols]
    return tensors, values.reshape(out, cols), {"bfloat16": "BF16", "float16": "F16", "float32": "F32"}[dtype]


def bnb_int8(rng, out, cols):
    codes, scales = rng.integers(-127, 128, (out, cols)).astype(np.int8), rng.uniform(0.5, 5, out).astype(np.float32)
    values = codes.astype(np.float32) * scales[:, None] * np.float32(1 / 127)
    return {".weight": ("I8", codes), ".SCB": ("F32", scales), ".weight_format": ("U8", np.array(0, np.uint8))}, values, "F16"


def bitnet(rng, out, cols, divided=True, dtype="BF16"):
    """Four rows, a quarter of the height apart, share a byte. `divided`: weights are codes over the scale, otherwise times the scale."""
    codes = rng.integers(0, 3, (out, cols))
    height = (out + 3) // 4
    padded = np.zeros((4 * height, cols), np.int64)
    padded[:out] = codes
    packed = sum(padded[i * height:(i + 1) * height] << 2 * i for i in range(4)).astype(np.uint8)
    scale = floats(dtype, np.array([rng.uniform(0.5, 3)], np.float32))
    number = numbers(scale)[0]
    values = (codes - 1).astype(np.float32)
    return {".weight": ("U8", packed), ".weight_scale": scale}, values / number if divided else values * number, dtype
