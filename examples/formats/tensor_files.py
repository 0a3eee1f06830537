#!/usr/bin/env python3
"""Safetensors files and the numbers in them, in plain Python. docs/formats.md explains both.

    tensor_files.py FILE     shows where what is in a file
    tensor_files.py BITS     shows which value each bit of the packed bytes belongs to
"""
import json
import math
import struct
import sys
from pathlib import Path


def read_header(path):
    """{name: (dtype, shape, begin, end)}, counted from the beginning of the file, and the metadata."""
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
    metadata = header.pop("__metadata__", {})
    begin = 8 + length
    return {name: (t["dtype"], t["shape"], begin + t["data_offsets"][0], begin + t["data_offsets"][1]) for name, t in header.items()}, metadata


def read_tensor(folder, name):
    """(dtype, shape, bytes) of a tensor in one of the files of a model."""
    for path in sorted(Path(folder).glob("*.safetensors")):
        tensors, _ = read_header(path)
        if name in tensors:
            dtype, shape, begin, end = tensors[name]
            return dtype, shape, path.read_bytes()[begin:end]
    raise KeyError(f"{folder}: no tensor {name}")


def write_file(path, tensors):
    """`tensors`: {name: (dtype, shape, bytes)}."""
    header, end = {}, 0
    for name, (dtype, shape, data) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [end, end + len(data)]}
        end += len(data)
    text = json.dumps(header).encode()
    Path(path).write_bytes(struct.pack("<Q", len(text)) + text + b"".join(data for _, _, data in tensors.values()))


def f32(x):
    """The nearest float of 32 bits."""
    return struct.unpack("<f", struct.pack("<f", x))[0]


def bf16(x):
    """The nearest bfloat16: the upper half of a float of 32 bits, rounded to even."""
    (bits,) = struct.unpack("<I", struct.pack("<f", x))
    bits = (bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF0000
    return struct.unpack("<f", struct.pack("<I", bits))[0]


def bf16_bytes(values):
    return b"".join(struct.pack("<f", bf16(x))[2:] for x in values)


def e4m3(code):
    """One sign, four bits of exponent, three of mantissa."""
    exponent, mantissa = code >> 3 & 15, code & 7
    size = math.ldexp(mantissa + 8 if exponent else mantissa, max(exponent, 1) - 10)
    return -size if code & 0x80 else size


E2M1 = [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, -0.0, -0.5, -1.0, -1.5, -2.0, -3.0, -4.0, -6.0]


def numbers(dtype, data):
    if dtype == "BF16":
        return [struct.unpack("<f", b"\0\0" + data[i:i + 2])[0] for i in range(0, len(data), 2)]
    if dtype == "F8_E4M3":
        return [e4m3(code) for code in data]
    letter = {"F16": "e", "F32": "f", "F64": "d", "U8": "B", "I8": "b", "I32": "i", "U32": "I", "I64": "q"}[dtype]
    return list(struct.unpack(f"<{len(data) // struct.calcsize(letter)}{letter}", data))


def unpack(data, bits, count):
    """Codes of so many bits, one after the other from the lowest bit on: a byte's lower bits come first, and a code may reach into the next."""
    stream = int.from_bytes(data, "little")
    return [stream >> bits * i & (1 << bits) - 1 for i in range(count)]


def pack(codes, bits):
    """The reverse."""
    stream = sum(code << bits * i for i, code in enumerate(codes))
    return stream.to_bytes((bits * len(codes) + 7) // 8, "little")


def show_file(path):
    tensors, metadata = read_header(path)
    begin = min(t[2] for t in tensors.values())
    header = Path(path).read_bytes()[:begin]
    print(f"{0:9}  {header[:8].hex(' ')}: {begin - 8} bytes of header follow")
    print(f"{8:9}  {header[8:].rstrip(b' ').decode()[:60]}... and {len(header) - len(header.rstrip(b' '))} spaces")
    for name, (dtype, shape, first, end) in tensors.items():
        print(f"{first:9}  {dtype} {shape} {name}, {end - first} bytes")
    print(f"{Path(path).stat().st_size:9}  end; metadata {metadata}")


def show_packing(bits):
    """Of as many values as fill whole bytes, the highest bit of a byte first."""
    count = 8 // math.gcd(8, bits)
    owners = {}
    for value in range(count):
        for byte, mask in enumerate(pack([(1 << bits) - 1 if i == value else 0 for i in range(count)], bits)):
            owners |= {(byte, bit): value for bit in range(8) if mask >> bit & 1}
    size = max(byte for byte, _ in owners) + 1
    print(f"{bits} bits |" + "".join("".join(str(owners[byte, bit]) for bit in range(7, -1, -1)) + "|" for byte in range(size)))


if __name__ == "__main__":
    show_packing(int(sys.argv[1])) if sys.argv[1].isdigit() else show_file(sys.argv[1])
