"""Golden checkpoints with their linear layers quantized as other tools do it, beside twins that hold the same values as floats."""
import json
import re
import struct
import zlib
from dataclasses import dataclass
from typing import Callable

import casefile
import numpy as np
import oracle
import source_formats as formats

STORED = {"BF16": np.uint16, "F16": np.float16, "F32": np.float32, "U8": np.uint8, "I8": np.int8, "I32": np.int32, "U32": np.uint32,
          "I64": np.int64, "F8_E4M3": np.uint8, "F8_E5M2": np.uint8, "F8_E8M0": np.uint8}
NO_LINEAR_LAYER = re.compile(r"embed|norm|conv|lm_head|router|\bgate\.weight|rotary|vision|visual|projector|patch|A_log|output\.weight")


def read_tensors(folder):
    tensors = {}
    for path in sorted(folder.glob("*.safetensors")):
        data = path.read_bytes()
        size = struct.unpack("<Q", data[:8])[0]
        for name, entry in json.loads(data[8:8 + size]).items():
            if name != "__metadata__":
                begin, end = (8 + size + offset for offset in entry["data_offsets"])
                tensors[name] = (entry["dtype"], np.frombuffer(data[begin:end], STORED[entry["dtype"]]).reshape(entry["shape"]))
    return tensors


def write_file(path, tensors):
    header, offset = {}, 0
    for name, (dtype, array) in tensors.items():
        header[name] = {"dtype": dtype, "shape": list(array.shape), "data_offsets": [offset, offset + array.nbytes]}
        offset += array.nbytes
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(array.tobytes() for _, array in tensors.values()))


def write_model(folder, config, tensors, files=None):
    """In two files, so that the parts of a layer lie in both."""
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(config))
    for name, content in (files or {}).items():
        (folder / name).write_text(json.dumps(content))
    file_of = {name: f"model-0000{1 + i % 2}-of-00002.safetensors" for i, name in enumerate(sorted(tensors))}
    for file in set(file_of.values()):
        write_file(folder / file, {name: tensors[name] for name in tensors if file_of[name] == file})
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": file_of}))


@dataclass
class Scheme:
    settings: dict
    layer: Callable  # (rng, outputs, inputs): tensors by ending, values, dtype of the values
    fits: Callable = lambda outputs, inputs: True
    packed: bool = False  # stays packed where it can
    dtype: str = ""  # of all floats, where the format asks for one
    files: tuple = ()  # names of files that hold the settings in place of config.json
    same_values: bool = True  # -d gives the values of the definition, rounded once


def compressed(format_name, bits, kind, size, layer, symmetric=True, packed=False, fits=None):
    weights = {"num_bits": bits, "type": kind, "symmetric": symmetric, "strategy": "group" if size else "channel", "group_size": size or None}
    settings = {"quant_method": "compressed-tensors", "format": format_name, "ignore": ["lm_head", "re:.*visual.*"],
                "config_groups": {"group_0": {"targets": ["Linear"], "weights": weights, "input_activations": None}}}
    return Scheme(settings, layer, fits or (lambda o, i: i % (size or 1) == 0), packed)


def fp8(settings=None, **how):
    return Scheme({"quant_method": "fp8", "activation_scheme": "dynamic"} | (settings or {}), lambda r, o, i: formats.fp8(r, o, i, **how))


def pack_quantized(bits, size, symmetric=True, **how):
    return compressed("pack-quantized", bits, "int", size, lambda r, o, i: formats.pack_quantized(r, o, i, bits, size, symmetric, **how), symmetric,
                      packed=True, fits=lambda o, i: i % 32 == 0 and i % (size or 1) == 0)


def int_quantized(size, symmetric):
    return compressed("int-quantized", 8, "int", size, lambda r, o, i: formats.int_quantized(r, o, i, size, symmetric), symmetric)


def gptq(bits, size, version=1, act_order=False, files=()):
    settings = {"quant_method": "gptq", "bits": bits, "group_size": size, "desc_act": act_order, "sym": False,
                "checkpoint_format": "gptq" if version == 1 else "gptq_v2"}
    return Scheme(settings, lambda r, o, i: formats.gptq(r, o, i, bits, size, version, act_order, "BF16"),
                  lambda o, i: i % 32 == 0 and i % max(size, 1) == 0 and o % 32 == 0, packed=True, dtype="BF16", files=files)


def awq(bits, size, zeros=True):
    settings = {"quant_method": "awq", "bits": bits, "group_size": size, "zero_point": zeros, "version": "gemm"}
    return Scheme(settings, lambda r, o, i: formats.awq(r, o, i, bits, size, zeros, "BF16"), lambda o, i: o % 8 == 0 and i % max(size, 32) == 0,
                  packed=True, dtype="BF16", same_values=bits != 4)


def auto_round(packing, layer, of, *how):
    scheme = of(*how)
    settings = {"quant_method": "auto-round", "packing_format": packing, "sym": False, "bits": how[0], "group_size": how[1]}
    return Scheme(settings, layer, scheme.fits, packed=True, dtype="BF16")


def modelopt(algorithm, layer, files=(), **more):
    return Scheme({"quant_method": "modelopt", "quant_algo": algorithm}, layer, lambda o, i: i % 32 == 0, files=files, **more)


def bitsandbytes(kind, nested):
    settings = {"quant_method": "bitsandbytes", "load_in_4bit": True, "bnb_4bit_quant_type": kind, "bnb_4bit_use_double_quant": nested}
    return Scheme(settings, lambda r, o, i: formats.bnb_four_bits(r, o, i, kind, nested), lambda o, i: o * i % 64 == 0)


SCHEMES = {
    "fp8-blocks": fp8({"weight_block_size": [128, 128]}),
    "fp8-small-blocks": fp8({"weight_block_size": [64, 32]}, block=(64, 32), ending=".scale", scale_dtype="F8_E8M0"),
    "fp8-rows": fp8(grid="row", ending=".weight_scale"),
    "fp8-tensor-e5m2": fp8(grid="tensor", kind="F8_E5M2", scale_dtype="BF16"),
    "fp8-modelopt": modelopt("FP8", lambda r, o, i: formats.fp8(r, o, i, grid="tensor", ending=".weight_scale"), files=("hf_quant_config.json",)),
    "mxfp8-modelopt": modelopt("MXFP8", formats.mxfp8, packed=True),
    "nvfp4-modelopt": modelopt("NVFP4", lambda r, o, i: formats.nvfp4(r, o, i, "modelopt"), files=("hf_quant_config.json",)),
    "nvfp4": compressed("nvfp4-pack-quantized", 4, "float", 16, formats.nvfp4),
    "mxfp4": compressed("mxfp4-pack-quantized", 4, "float", 32, formats.mxfp4, packed=True),
    "mxfp6": compressed("mxfp6-pack-quantized", 6, "float", 32, formats.mxfp6),
    "mxfp8": compressed("mxfp8-quantized", 8, "float", 32, formats.mxfp8, packed=True),
    "int2": pack_quantized(2, 64),
    "int3-zeros": pack_quantized(3, 64, symmetric=False),
    "int4": pack_quantized(4, 128),
    "int4-rows": pack_quantized(4, 0),
    "int4-order": pack_quantized(4, 32, actorder=True),
    "int5": pack_quantized(5, 32),
    "int6-zeros": pack_quantized(6, 0, symmetric=False),
    "int8-groups-of-16": pack_quantized(8, 16),
    "w8a8": int_quantized(0, True),
    "w8a8-zeros": int_quantized(32, False),
    "gptq-2": gptq(2, 64),
    "gptq-3": gptq(3, 32, files=("quantize_config.json",)),
    "gptq-4": gptq(4, 128),
    "gptq-4-order": gptq(4, 32, act_order=True),
    "gptq-8-v2": gptq(8, -1, version=2),
    "awq-4": awq(4, 64),
    "awq-8": awq(8, 32, zeros=False),
    "auto-round": auto_round("auto_round:auto_gptq", lambda r, o, i: formats.gptq(r, o, i, 4, 128, dtype="BF16"), gptq, 4, 128),
    "auto-round-plain-zeros": auto_round("auto_round", lambda r, o, i: formats.gptq(r, o, i, 2, 64, version=2, dtype="BF16"), gptq, 2, 64),
    "auto-round-awq": auto_round("auto_round:auto_awq", lambda r, o, i: formats.awq(r, o, i, 4, 64, dtype="BF16"), awq, 4, 64),
    "nf4": bitsandbytes("nf4", True),
    "fp4": bitsandbytes("fp4", False),
    "bnb-int8": Scheme({"quant_method": "bitsandbytes", "load_in_8bit": True, "llm_int8_skip_modules": ["lm_head"]}, formats.bnb_int8),
}


def is_linear(name, tensor):
    dtype, array = tensor
    return dtype in ("BF16", "F16", "F32") and name.endswith(".weight") and array.ndim == 2 and not NO_LINEAR_LAYER.search(name)


def cast(tensor, dtype):
    return formats.floats(dtype, formats.numbers(tensor)) if dtype and tensor[0] in ("BF16", "F16", "F32") else tensor


def make_pair(case_name, scheme, folder):
    """Writes folder/quantized and folder/floats; the names of the layers that are quantized."""
    case = casefile.load(casefile.path_of(case_name))
    (folder / "published").mkdir()
    oracle.materialize(case, folder / "published")
    config = json.loads((folder / "published" / "config.json").read_text())
    quantized, twin, layers = {}, {}, []
    for name, tensor in read_tensors(folder / "published").items():
        twin[name] = quantized[name] = cast(tensor, scheme.dtype)
        if not is_linear(name, tensor) or not scheme.fits(*tensor[1].shape):
            continue
        layer = name.removesuffix(".weight")
        parts, values, dtype = scheme.layer(np.random.default_rng(zlib.crc32(name.encode())), *tensor[1].shape)
        del quantized[name]
        quantized |= {layer + ending: part for ending, part in parts.items()}
        twin[name] = formats.floats(dtype, values)
        layers.append(layer)
    stated = {} if scheme.files else {"quantization_config": scheme.settings}
    write_model(folder / "quantized", config | stated, quantized, {file: scheme.settings for file in scheme.files})
    write_model(folder / "floats", config, twin)
    return layers
