"""The calls, as commands of the program: parameters become the words of a command line, so they mean here what they mean there."""
from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from typing import Any, Optional, Union

from . import _hf2mlx
from ._errors import UsageError
from ._progress import Listener, Progress, listener_for
from ._results import (
    Architecture,
    DownloadReport,
    Inspection,
    ModelLists,
    Plan,
    Report,
    Verification,
    read,
    read_architectures,
)
from .layers import Asked, Predicate, as_library_asks

PathLike = Union[str, "os.PathLike[str]"]
# Bytes, or a number and a unit such as "5GB", in powers of 1024.
Size = Union[int, str]
# Bits, "BITS[:GROUP[:MODE]]", "keep", or a dict of "bits", "group_size" and "mode".
Spec = Union[int, str, Mapping[str, Any]]
Overrides = Union[Mapping[str, Spec], Iterable[str]]


def _places() -> _hf2mlx.Places:
    """Where models are, by the environment of this moment."""
    return _hf2mlx.Places(dict(os.environb), lambda user: os.path.expanduser(f"~{user}"))


def _words(**options: Any) -> list[bytes]:
    """The options as the program has them: True is a flag, a list gives an option several times, None and False are left out."""
    words = []
    for name, value in options.items():
        option = "--" + name.replace("_", "-")
        if value is True:
            words.append(os.fsencode(option))
        elif isinstance(value, (list, tuple)):
            words += [os.fsencode(f"{option}={item}") for item in value]
        elif value is not None and value is not False:
            words.append(os.fsencode(f"{option}={value}"))
    return words


def _path(path: Optional[PathLike]) -> Optional[str]:
    return None if path is None else os.fspath(path)


def _size(size: Optional[Size]) -> Optional[str]:
    return f"{size}B" if isinstance(size, int) else size


def _several(patterns: Union[str, Iterable[str]]) -> list[str]:
    return [patterns] if isinstance(patterns, str) else list(patterns)


def _override_texts(overrides: Overrides) -> list[str]:
    """As PATTERN=SPEC."""
    if not isinstance(overrides, Mapping):
        return _several(overrides)
    specs = {pattern: dict(spec) if isinstance(spec, Mapping) else spec for pattern, spec in overrides.items()}
    return _hf2mlx.overrides_of(json.dumps(specs), "overrides")


def _asked(quant_predicate: Union[Predicate, str, None]) -> Optional[Asked]:
    return None if quant_predicate is None or isinstance(quant_predicate, str) else as_library_asks(quant_predicate)


def _conversion_words(
    *,
    mlx_path: PathLike,
    lm_studio: Union[bool, str],
    quant_predicate: Union[Predicate, str, None],
    overrides: Overrides,
    q_candidates: Iterable[Union[int, str]],
    hf_path: PathLike,
    imatrix: Optional[PathLike],
    sensitivity: Optional[PathLike],
    arch_dir: Optional[PathLike],
    target_size: Optional[Size],
    max_memory: Optional[Size],
    max_shard_size: Optional[Size],
    **others: Any,
) -> list[bytes]:
    if lm_studio and os.fspath(mlx_path) == "mlx_model":
        others["lm_studio"] = lm_studio
    else:
        others["mlx_path"] = os.fspath(mlx_path)
        others["lm_studio"] = lm_studio or None
    return _words(
        hf_path=os.fspath(hf_path),
        quant_predicate=quant_predicate if isinstance(quant_predicate, str) else None,
        q_override=_override_texts(overrides),
        q_candidates=",".join(map(str, q_candidates)) or None,
        imatrix=_path(imatrix),
        sensitivity=_path(sensitivity),
        arch_dir=_path(arch_dir),
        target_size=_size(target_size),
        max_memory=_size(max_memory),
        max_shard_size=_size(max_shard_size),
        **others,
    )


def convert(
    hf_path: PathLike,
    mlx_path: PathLike = "mlx_model",
    quantize: bool = False,
    q_group_size: Optional[int] = None,
    q_bits: Optional[int] = None,
    q_mode: str = "affine",
    dtype: Optional[str] = None,
    upload_repo: Optional[str] = None,
    revision: Optional[str] = None,
    dequantize: bool = False,
    quant_predicate: Union[Predicate, str, None] = None,
    trust_remote_code: bool = False,
    *,
    force: bool = False,
    lm_studio: Union[bool, str] = False,
    name: Optional[str] = None,
    requantize: bool = False,
    overrides: Overrides = (),
    q_fit: Optional[str] = None,
    q_lattice: Optional[str] = None,
    imatrix: Optional[PathLike] = None,
    target_bpw: Optional[float] = None,
    target_size: Optional[Size] = None,
    q_candidates: Iterable[Union[int, str]] = (),
    sensitivity: Optional[PathLike] = None,
    arch: Optional[str] = None,
    arch_dir: Optional[PathLike] = None,
    fix_eos: bool = False,
    sync: bool = False,
    threads: Optional[int] = None,
    max_memory: Optional[Size] = None,
    max_shard_size: Optional[Size] = None,
    single_file: bool = False,
    progress: Progress = None,
    cancel: Optional[_hf2mlx.CancelToken] = None,
) -> Report:
    """Converts a Hugging Face model to an MLX model folder, which appears complete or not at all.

    The parameters before the star are those of mlx_lm.convert and mean the same; the model may be a folder, an entry of the Hugging Face
    cache or a repository of the hub, which is downloaded.

    Args:
        hf_path: A folder, or "org/name", or "org/name@revision".
        mlx_path: The folder to write. It must not exist, unless `force` is given.
        quantize: Whether to quantize: 4 bits a weight unless said otherwise.
        q_group_size: Weights that share a scale; the default of the mode otherwise.
        q_bits: Bits a weight: 2, 3, 4, 5, 6 or 8; the default of the mode otherwise.
        q_mode: "affine", "mxfp4", "mxfp8" or "nvfp4".
        dtype: "float16", "bfloat16" or "float32" for weights that are not quantized.
        upload_repo: A repository of the hub, "org/name", that the result is uploaded to.
        revision: Branch, tag or commit of a repository.
        dequantize: Turn a quantized model back into a full one.
        quant_predicate: A recipe ("mixed_2_6", "mixed_3_4", "mixed_3_6", "mixed_4_6"), or a function that is called once for each layer
            with its path and a Layer and returns whether to quantize it, or a dict of "bits", "group_size" and "mode". What it raises, this
            call raises.
        trust_remote_code: Without effect: no code of a model is ever executed.
        force: Replace `mlx_path` if it exists: at the very end, and only if all went well.
        lm_studio: In place of `mlx_path`: True writes into LM Studio's models folder, under the model's organisation; a string names another.
        name: What the model is called there: a template of {model}, {bits}, {mode} and {group}; "{model}-MLX" otherwise.
        requantize: Encode anew what is quantized in the source, which otherwise stays as it is.
        overrides: What single layers get, by pattern: {"lm_head": 8, "*.mlp.*": "3:64", "*.o_proj": {"bits": 6}, "*.q_proj": "keep"}, or
            the same as strings PATTERN=SPEC. The last match counts.
        q_fit: "fast" or "best": choose scales and codes for the least error instead of rounding to nearest.
        q_lattice: "q4_0": the rounding of llama.cpp's Q4_0, for models trained for it.
        imatrix: An importance matrix of llama.cpp.
        target_bpw: Bits for each layer so that the model has at most so many bits per weight, with the least error.
        target_size: The same for the size of the weight files: bytes, or text such as "12GB".
        q_candidates: What layers may get under a target, as BITS[:GROUP[:MODE]].
        sensitivity: A file that keeps what was measured for a target.
        arch: Read the model as this model type, whatever its config.json says.
        arch_dir: A folder of further architecture descriptions.
        fix_eos: Name every token that ends a text in the config files.
        sync: Wait until all is on the disk.
        threads: One for each core otherwise. The result is the same for any number.
        max_memory: For buffers: bytes, or text such as "64MB".
        max_shard_size: Beyond it another weight file begins; 5 GB otherwise.
        single_file: Write all weights to one file.
        progress: True for a bar of tqdm, or a function of what is done, bytes done and bytes in all. What it raises ends the call.
        cancel: Ends the call with Cancelled when another thread calls its cancel().

    Raises:
        UsageError: (a ValueError) for options that contradict each other, and where `mlx_path` exists.
        NotFoundError: (a FileNotFoundError) where there is no such model.
        UnsupportedError, CorruptError: (ValueErrors) for a model that cannot be converted.
        Error: for all the rest.
        KeyboardInterrupt: on Ctrl-C, when all that was begun has been removed again.
    """
    words = _conversion_words(
        hf_path=hf_path, mlx_path=mlx_path, quantize=bool(quantize), q_group_size=q_group_size, q_bits=q_bits, q_mode=q_mode, dtype=dtype,
        revision=revision, dequantize=bool(dequantize), quant_predicate=quant_predicate, trust_remote_code=bool(trust_remote_code),
        upload_repo=upload_repo, force=force, lm_studio=lm_studio, name=name, requantize=requantize, overrides=overrides, q_fit=q_fit,
        q_lattice=q_lattice, imatrix=imatrix,
        target_bpw=target_bpw, target_size=target_size, q_candidates=q_candidates, sensitivity=sensitivity, arch=arch, arch_dir=arch_dir,
        fix_eos=fix_eos, sync=sync, threads=threads, max_memory=max_memory, max_shard_size=max_shard_size, single_file=single_file,
    )
    return read(Report, _hf2mlx.convert(_places(), words, _asked(quant_predicate), listener_for(progress), cancel))


def plan(
    hf_path: PathLike,
    mlx_path: PathLike = "mlx_model",
    quantize: bool = False,
    q_group_size: Optional[int] = None,
    q_bits: Optional[int] = None,
    q_mode: str = "affine",
    dtype: Optional[str] = None,
    revision: Optional[str] = None,
    dequantize: bool = False,
    quant_predicate: Union[Predicate, str, None] = None,
    *,
    lm_studio: Union[bool, str] = False,
    name: Optional[str] = None,
    requantize: bool = False,
    overrides: Overrides = (),
    q_fit: Optional[str] = None,
    q_lattice: Optional[str] = None,
    imatrix: Optional[PathLike] = None,
    target_bpw: Optional[float] = None,
    target_size: Optional[Size] = None,
    q_candidates: Iterable[Union[int, str]] = (),
    sensitivity: Optional[PathLike] = None,
    arch: Optional[str] = None,
    arch_dir: Optional[PathLike] = None,
    fix_eos: bool = False,
    threads: Optional[int] = None,
    max_memory: Optional[Size] = None,
    max_shard_size: Optional[Size] = None,
    single_file: bool = False,
    progress: Progress = None,
    cancel: Optional[_hf2mlx.CancelToken] = None,
) -> Plan:
    """What convert() with the same parameters would write, tensor by tensor.

    Reads headers only, and writes nothing; the model must be here. With a target the weights are read to be measured, which `progress` and
    `cancel` are for.
    """
    words = _conversion_words(
        hf_path=hf_path, mlx_path=mlx_path, quantize=bool(quantize), q_group_size=q_group_size, q_bits=q_bits, q_mode=q_mode, dtype=dtype,
        revision=revision, dequantize=bool(dequantize), quant_predicate=quant_predicate, lm_studio=lm_studio, name=name,
        requantize=requantize, overrides=overrides, q_fit=q_fit, q_lattice=q_lattice, imatrix=imatrix, target_bpw=target_bpw, target_size=target_size,
        q_candidates=q_candidates, sensitivity=sensitivity, arch=arch, arch_dir=arch_dir, fix_eos=fix_eos, threads=threads,
        max_memory=max_memory, max_shard_size=max_shard_size, single_file=single_file, dry_run=True,
    )
    return read(Plan, _hf2mlx.convert(_places(), words, _asked(quant_predicate), listener_for(progress), cancel))


def inspect(
    model: PathLike, revision: Optional[str] = None, *, arch: Optional[str] = None, arch_dir: Optional[PathLike] = None
) -> Inspection:
    """What a model is and how large it would become. Reads headers only. A model that cannot be converted is described all the same."""
    words = _words(model=os.fspath(model), revision=revision, arch=arch, arch_dir=_path(arch_dir))
    return read(Inspection, _hf2mlx.inspect(_places(), words, Listener()))


def download(
    repo: str,
    revision: Optional[str] = None,
    *,
    local_dir: Optional[PathLike] = None,
    include: Iterable[str] = (),
    exclude: Iterable[str] = (),
    dry_run: bool = False,
    progress: Progress = None,
    cancel: Optional[_hf2mlx.CancelToken] = None,
) -> DownloadReport:
    """Downloads a model of the Hugging Face hub into its cache, or as plain files into `local_dir`.

    `include` and `exclude` are shell patterns; without them what a conversion needs is downloaded. When this returns, every file is there
    and its checksum is right. What has arrived when it ends early stays, and the next call goes on from there.
    """
    words = _words(revision=revision, local_dir=_path(local_dir), include=_several(include), exclude=_several(exclude), dry_run=dry_run)
    return read(DownloadReport, _hf2mlx.download(_places(), [*words, os.fsencode(repo)], listener_for(progress), cancel))


def list_models(folders: Iterable[PathLike] = ()) -> ModelLists:
    """The models of the Hugging Face cache and of LM Studio's folder, and the conversions there, in the current folder and in `folders`."""
    return read(ModelLists, _hf2mlx.list_models(_places(), [os.fsencode(folder) for folder in folders], Listener()))


def verify(
    folder: PathLike,
    source: Optional[PathLike] = None,
    *,
    error: bool = False,
    arch: Optional[str] = None,
    arch_dir: Optional[PathLike] = None,
    threads: Optional[int] = None,
    max_memory: Optional[Size] = None,
    progress: Progress = None,
    cancel: Optional[_hf2mlx.CancelToken] = None,
) -> Verification:
    """Whether a model folder is complete and which programs will load it: what is wrong with it is a finding, not an exception.

    With `source`, what it was made of, every tensor is computed again and compared, bit for bit; with `error`, too, what quantizing has
    changed of each layer is measured.
    """
    words = _words(source=_path(source), error=error, arch=arch, arch_dir=_path(arch_dir), threads=threads, max_memory=_size(max_memory))
    return read(Verification, _hf2mlx.verify(_places(), [*words, os.fsencode(folder)], listener_for(progress), cancel))


def architectures() -> list[Architecture]:
    """What can be converted."""
    return read_architectures(_hf2mlx.architectures())
