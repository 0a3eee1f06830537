#!/usr/bin/env python3
"""Writes quant_vectors.txt: digests of what the real mlx makes of inputs that src/quant/oracle_vectors_test.cc can make again.

    python tests/oracle/quant_vectors.py            # writes the file beside this script
    python tests/oracle/quant_vectors.py --check    # says whether the installed mlx still agrees with it

One case a line, words separated by blanks:

    encode  MODE BITS GROUP DTYPE INPUTS SEED   packed scales biases decoded    quantize, then dequantize
    decode  MODE BITS GROUP DTYPE SEED          decoded                         dequantize of arbitrary bits
    global  DTYPE SEED                          decoded                         nvfp4 with a global scale; always F32
    convert FROM TO                             converted                       astype
    fp8     TO                                  converted                       from_fp8 of all 256 codes

Inputs come from splitmix64 and exact arithmetic (see `inputs`); the digest of bytes b is the sum of splitmix64(i) * (b[i] + 1) modulo
2^64. Where arithmetic on NaN decides the sign of a NaN (decode, global), every NaN is replaced by the type's canonical one first.
Made with mlx 0.32.4 on x86-64.
"""
import argparse
import pathlib
import sys

import mlx.core as mx
import numpy as np

ROWS, COLS = 7, 256
COUNT = ROWS * COLS
INPUTS = ["raw", "weights", "wide", "ties", "spiked", "specials", "constant", "edges"]
SEEDS = [1, 2]
ENCODINGS = [("affine", bits, group) for bits in (1, 2, 3, 4, 5, 6, 8) for group in (32, 64, 128)]
ENCODINGS += [("mxfp4", 4, 32), ("mxfp8", 8, 32), ("nvfp4", 4, 16)]

# dtype: mlx type, numpy type of its bits, infinity, one, smallest normal, canonical NaN
DTYPES = {
    "F16": (mx.float16, np.uint16, 0x7C00, 0x3C00, 0x0400, 0x7E00),
    "BF16": (mx.bfloat16, np.uint16, 0x7F80, 0x3F80, 0x0080, 0x7FC0),
    "F32": (mx.float32, np.uint32, 0x7F800000, 0x3F800000, 0x00800000, 0x7FC00000),
}


def splitmix64(x):
    x = np.asarray(x, np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def stream(seed, count):
    return splitmix64((np.uint64(seed) << np.uint64(32)) + np.arange(count, dtype=np.uint64))


def digest(array):
    data = np.frombuffer(array.tobytes(), np.uint8).astype(np.uint64)
    return "%016x" % int((splitmix64(np.arange(len(data))) * (data + np.uint64(1))).sum(dtype=np.uint64))


def to_mlx(bits, dtype):
    return mx.array(bits).view(DTYPES[dtype][0])


def to_bits(array, dtype):
    return np.array(array.view(mx.uint16 if DTYPES[dtype][1] is np.uint16 else mx.uint32))


def rounded(doubles, dtype):
    return to_bits(mx.array(doubles.astype(np.float32)).astype(DTYPES[dtype][0]), dtype)


def per_group(values, group):
    return np.repeat(values[: COUNT // group], group)


def modulo(random, shift, n):
    return ((random >> np.uint64(shift)) % np.uint64(n)).astype(np.int64)


def weights(random, exponents):
    fields = sum(((random >> np.uint64(16 * k)) & np.uint64(0xFFFF)).astype(np.int64) for k in range(4)) - 131070
    return fields * np.exp2(exponents.astype(np.float64))


def special_bits(dtype):
    _, kind, infinity, one, normal, _ = DTYPES[dtype]
    sign = 1 << (8 * np.dtype(kind).itemsize - 1)
    positive = [0, infinity, infinity | 1, sign - 1, 1, one, infinity - 1, normal]
    return np.array(positive + [sign | bits for bits in positive], kind)


def edges(random, group_random, group, dtype):
    """Groups whose largest value is a code's largest, other values being midpoints between codes or a unit beside them."""
    fp4 = np.array([0.25, 0.75, 1.25, 1.75, 2.5, 3.5, 5, 6])[modulo(random, 0, 8)]
    e4m3 = (17 + 2 * modulo(random, 0, 8)) * np.exp2(modulo(random, 8, 18) - 13.0)
    values = np.where(modulo(random, 16, 2) == 0, fp4, e4m3)
    values[::group] = np.array([6.0, 448.0])[modulo(group_random, 0, 2)][: COUNT // group]
    bits = rounded(values * np.exp2(per_group(modulo(group_random, 8, 16) - 12.0, group)), dtype)
    bits = (bits.astype(np.int64) + np.where(np.arange(COUNT) % group == 0, 0, modulo(random, 24, 3) - 1)).astype(np.uint64)
    sign = modulo(random, 32, 2).astype(np.uint64) << np.uint64(8 * DTYPES[dtype][1]().itemsize - 1)
    return (bits | sign).astype(DTYPES[dtype][1])


def inputs(name, dtype, group, seed):
    kind = DTYPES[dtype][1]
    random = stream(seed, COUNT)
    group_random = stream(seed + 1000, COUNT)
    raw = random.astype(kind)
    common = rounded(weights(random, per_group(modulo(group_random, 0, 24) - 32, group)), dtype)
    if name == "raw":
        return raw
    if name == "weights":
        return common
    if name == "wide":
        return rounded(weights(random, per_group(modulo(group_random, 0, 270) - 160, group)), dtype)
    if name == "ties":
        return rounded((modulo(random, 0, 33) - 16) * np.exp2(per_group(modulo(group_random, 0, 12) - 6.0, group)), dtype)
    if name == "spiked":
        return np.where(modulo(splitmix64(random), 0, 64) == 0, raw, common)
    if name == "specials":
        shift = (modulo(random, 0, 3) * 4).astype(np.uint64)
        return special_bits(dtype)[((per_group(group_random, group) >> shift) & np.uint64(15)).astype(np.int64)]
    if name == "constant":
        return per_group(group_random, group).astype(kind)
    return edges(random, group_random, group, dtype)


def without_nan_kinds(array, dtype):
    _, kind, infinity, _, _, nan = DTYPES[dtype]
    magnitude = array & kind((1 << (8 * np.dtype(kind).itemsize - 1)) - 1)
    return np.where(magnitude > infinity, kind(nan), array)


def decoded(packed, scales, biases, mode, bits, group, dtype):
    if mode == "affine":
        result = mx.dequantize(mx.array(packed), to_mlx(scales, dtype), to_mlx(biases, dtype), group_size=group, bits=bits)
    else:
        result = mx.dequantize(mx.array(packed), mx.array(scales), group_size=group, bits=bits, mode=mode, dtype=DTYPES[dtype][0])
    return digest(without_nan_kinds(to_bits(result, dtype), dtype))


def encode_case(mode, bits, group, dtype, name, seed):
    values = inputs(name, dtype, group, seed).reshape(ROWS, COLS)
    result = mx.quantize(to_mlx(values, dtype), group_size=group, bits=bits, mode=mode)
    packed = np.array(result[0])
    scales = to_bits(result[1], dtype) if mode == "affine" else np.array(result[1])
    biases = to_bits(result[2], dtype) if mode == "affine" else np.zeros(0, np.uint8)
    digests = [digest(packed), digest(scales), digest(biases), decoded(packed, scales, biases, mode, bits, group, dtype)]
    return ["encode", mode, bits, group, dtype, name, seed, *digests]


def arbitrary(mode, bits, group, dtype, seed):
    packed = stream(seed, COUNT * bits // 32).astype(np.uint32).reshape(ROWS, -1)
    kind = DTYPES[dtype][1] if mode == "affine" else np.uint8
    scales = stream(seed + 1000, COUNT // group).astype(kind).reshape(ROWS, -1)
    biases = stream(seed + 2000, COUNT // group).astype(kind).reshape(ROWS, -1)
    return packed, scales, biases


def decode_case(mode, bits, group, dtype, seed):
    return ["decode", mode, bits, group, dtype, seed, decoded(*arbitrary(mode, bits, group, dtype, seed), mode, bits, group, dtype)]


def global_case(dtype, seed):
    packed, scales, _ = arbitrary("nvfp4", 4, 16, dtype, seed)
    scale = mx.array(1234.5 / seed, mx.float32)
    result = mx.dequantize(mx.array(packed), mx.array(scales), mode="nvfp4", global_scale=scale, dtype=DTYPES[dtype][0])
    assert result.dtype == mx.float32
    return ["global", dtype, seed, digest(without_nan_kinds(to_bits(result, "F32"), "F32"))]


def convert_inputs(dtype):
    index = np.arange(1 << 16, dtype=np.uint64)
    if dtype == "F64":
        return mx.array(((index << np.uint64(48)) | (stream(9, 1 << 16) >> np.uint64(16))).view(np.float64), dtype=mx.float64)
    if dtype != "F32":
        return to_mlx(index.astype(np.uint16), dtype)
    lower = np.array([0, 1, 0x0FFF, 0x1000, 0x1001, 0x2FFF, 0x3000, 0x3001, 0x7FFF, 0x8000, 0x8001, 0xFFFF], np.uint64)
    return to_mlx(((index << np.uint64(16)) | lower[modulo(stream(9, 1 << 16), 0, 12)]).astype(np.uint32), dtype)


def all_cases():
    for mode, bits, group in ENCODINGS:
        for dtype in DTYPES:
            for name in INPUTS:
                for seed in SEEDS:
                    yield encode_case(mode, bits, group, dtype, name, seed)
            yield decode_case(mode, bits, group, dtype, 1)
    for dtype in DTYPES:
        for seed in SEEDS:
            yield global_case(dtype, seed)
    for source in [*DTYPES, "F64"]:
        for target in DTYPES:
            if source != target:
                yield ["convert", source, target, digest(to_bits(convert_inputs(source).astype(DTYPES[target][0]), target))]
    for target in DTYPES:
        codes = mx.array(np.arange(256, dtype=np.uint8))
        yield ["fp8", target, digest(to_bits(mx.from_fp8(codes, DTYPES[target][0]), target))]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare with the committed file instead of writing it")
    arguments = parser.parse_args()
    mx.set_default_device(mx.cpu)
    path = pathlib.Path(__file__).with_name("quant_vectors.txt")
    text = "".join(" ".join(map(str, case)) + "\n" for case in all_cases())
    if not arguments.check:
        path.write_text(text)
        return
    differing = [(old, new) for old, new in zip(path.read_text().splitlines(), text.splitlines()) if old != new]
    for old, new in differing:
        print(f"committed: {old}\nmlx {mx.__version__}: {new}")
    sys.exit(1 if differing or path.read_text().count("\n") != text.count("\n") else 0)


if __name__ == "__main__":
    with np.errstate(all="ignore"):
        main()
