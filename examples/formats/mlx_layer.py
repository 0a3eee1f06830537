#!/usr/bin/env python3
"""Decodes a quantized layer of an MLX model, in plain Python.

    mlx_layer.py MODEL LAYER            shows how its first values are stored
    mlx_layer.py MODEL LAYER FLOATS     compares all of them with those in FLOATS, which `hf2mlx convert MODEL FLOATS -d` has made
"""
import json
import sys
from pathlib import Path

from tensor_files import E2M1, bf16, e4m3, f32, numbers, read_tensor, unpack

SHOWN = 8


def decoded(settings, codes, scale, bias):
    """The values of one group, for bfloat16."""
    mode, bits = settings.get("mode", "affine"), settings["bits"]
    if mode == "affine":
        return [bf16(f32(bf16(code * scale) + bias)) for code in codes]
    return [bf16((E2M1[code] if bits == 4 else e4m3(code)) * scale) for code in codes]


def scale_of(settings, scales, group):
    """Affine: a number of the model's own type. Microscaling: an exponent of two. nvfp4: a float of eight bits."""
    mode = settings.get("mode", "affine")
    return scales[group] if mode == "affine" else e4m3(scales[group]) if mode == "nvfp4" else 2.0 ** (scales[group] - 127)


def read_layer(model, layer):
    config = json.loads((Path(model) / "config.json").read_text())["quantization"]
    settings = config | config.get(layer, {})
    weight = read_tensor(model, layer + ".weight")
    scales = read_tensor(model, layer + ".scales")
    biases = read_tensor(model, layer + ".biases") if settings.get("mode", "affine") == "affine" else None
    return settings, weight, scales, biases


def values_of(settings, weight, scales, biases):
    group_size, bits = settings["group_size"], settings["bits"]
    group_bytes = group_size * bits // 8
    all_scales, all_biases = numbers(*scales[::2]), numbers(*biases[::2]) if biases else None
    values = []
    for group in range(len(all_scales)):
        codes = unpack(weight[2][group * group_bytes:(group + 1) * group_bytes], bits, group_size)
        values += decoded(settings, codes, scale_of(settings, all_scales, group), all_biases[group] if biases else 0)
    return values


def show(settings, weight, scales, biases):
    bits = settings["bits"]
    print(f"{settings.get('mode', 'affine')}, {bits} bits, groups of {settings['group_size']}")
    print(f"weight {weight[0]} {weight[1]}: {weight[2][:bits].hex(' ')} ...")
    print("  codes", *unpack(weight[2], bits, SHOWN), "...")
    for name, tensor in (("scales", scales), ("biases", biases)):
        if tensor:
            size = 1 if tensor[0] == "U8" else 2
            value = scale_of(settings, numbers(*tensor[::2]), 0) if name == "scales" else numbers(*tensor[::2])[0]
            print(f"{name} {tensor[0]} {tensor[1]}: {tensor[2][:size].hex(' ')} ...\n  first {value}")
    print("values", *values_of(settings, weight, scales, biases)[:SHOWN], "...")


def main():
    model, layer, *floats = sys.argv[1:]
    parts = read_layer(model, layer)
    if not floats:
        return show(*parts)
    dtype, _, data = read_tensor(floats[0], layer + ".weight")
    expected, found = numbers(dtype, data), values_of(*parts)
    different = sum(a != b for a, b in zip(expected, found)) + abs(len(expected) - len(found))
    print(f"{model}: {len(found)} values, {different} different")
    sys.exit(1 if different else 0)


if __name__ == "__main__":
    main()
