"""The calls, as commands of the program: parameters become the words of a command line, so they mean here what they mean there."""
from __future__ import annotations

import functools
import json
import os
from collections.abc import Callable, Iterable, Mapping
from inspect import Parameter, signature
from typing import Any, Concatenate, Optional, ParamSpec, TypeVar, Union

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
    UploadReport,
    Verification,
    read,
    read_architectures,
    read_variants,
)
from .layers import Predicate, as_library_asks

P = ParamSpec("P")
R = TypeVar("R")

PathLike = Union[str, "os.PathLike[str]"]
# Bytes, or a number and a unit such as "5GB", in powers of 1024.
Size = Union[int, str]
# Bits, "BITS[:GROUP[:MODE]]", "keep", or a dict of "bits", "group_size" and "mode".
Spec = Union[int, str, Mapping[str, Any]]
Overrides = Union[Mapping[str, Spec], Iterable[str]]
# Bits, "BITS[:GROUP[:MODE]]", a mode, a recipe, or "none".
Variants = Iterable[Union[int, str]]

_SIZES = frozenset(("max_memory", "max_shard_size", "target_size"))


def _places() -> _hf2mlx.Places:
    """Where models are, by the environment of this moment."""
    return _hf2mlx.Places(dict(os.environb), lambda user: os.path.expanduser(f"~{user}"))


def _words(**options: Any) -> list[bytes]:
    """The options as the program has them: True is a flag, a list gives an option several times, None and False are left out."""
    words = []
    for name, value in options.items():
        option = "--" + name.replace("_", "-")
        if value is None or value is False:
            continue
        if value is True:
            words.append(os.fsencode(option))
        elif isinstance(value, (list, tuple)):
            words += [os.fsencode(f"{option}={item}") for item in value]
        elif isinstance(value, os.PathLike):
            words.append(os.fsencode(f"{option}={os.fspath(value)}"))
        else:
            unit = "B" if name in _SIZES and isinstance(value, int) else ""
            words.append(os.fsencode(f"{option}={value}{unit}"))
    return words


def _several(patterns: Union[str, Iterable[str]]) -> list[str]:
    return [patterns] if isinstance(patterns, str) else list(patterns)


def _override_texts(overrides: Overrides) -> list[str]:
    """As PATTERN=SPEC."""
    if not isinstance(overrides, Mapping):
        return _several(overrides)
    specs = {pattern: dict(spec) if isinstance(spec, Mapping) else spec for pattern, spec in overrides.items()}
    return _hf2mlx.overrides_of(json.dumps(specs), "overrides")


def _convert(asked: dict[str, Any], **more: Any) -> str:
    """What the program's convert prints with --json; `asked` are the parameters of convert(), `more` are options besides."""
    predicate, progress, cancel = (asked.pop(name) for name in ("quant_predicate", "progress", "cancel"))
    is_recipe = predicate is None or isinstance(predicate, str)
    lm_studio = asked["lm_studio"] or None
    if lm_studio and os.fspath(asked["mlx_path"]) == "mlx_model":
        asked["mlx_path"] = None
    asked |= {name: bool(asked[name]) for name in ("quantize", "dequantize", "trust_remote_code")}
    asked |= {
        "lm_studio": lm_studio,
        "quant_predicate": predicate if is_recipe else None,
        "q_override": _override_texts(asked.pop("overrides")),
        "q_candidates": ",".join(map(str, asked["q_candidates"])) or None,
    }
    question = None if is_recipe else as_library_asks(predicate)
    return _hf2mlx.convert(_places(), _words(**asked, **more), question, listener_for(progress), cancel)


def _derived(function: Callable[[dict[str, Any]], R], original: Callable[..., Any], *first: Parameter) -> Callable[..., R]:
    """A function of these parameters and then those of `original`, which gives `function` all of them by name."""
    own = signature(original)
    own = own.replace(parameters=[*first, *own.parameters.values()], return_annotation=signature(function).return_annotation)

    @functools.wraps(function)
    def derived(*args: Any, **kwargs: Any) -> R:
        try:
            bound = own.bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{function.__name__}(): {error}") from None
        bound.apply_defaults()
        return function(dict(bound.arguments))

    del derived.__wrapped__
    derived.__signature__ = own  # type: ignore[attr-defined]
    derived.__annotations__ = {name: each.annotation for name, each in own.parameters.items()} | {"return": own.return_annotation}
    return derived


def _with_parameters_of(original: Callable[P, Any]) -> Callable[[Callable[[dict[str, Any]], R]], Callable[P, R]]:
    return lambda function: _derived(function, original)


def _with_variants_and_parameters_of(
    original: Callable[P, Any],
) -> Callable[[Callable[[dict[str, Any]], R]], Callable[Concatenate[Variants, P], R]]:
    variants = Parameter("variants", Parameter.POSITIONAL_ONLY, annotation="Variants")
    return lambda function: _derived(function, original, variants)


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
    stream: bool = False,
    sync: bool = False,
    checksums: bool = False,
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
        stream: Convert a model of the hub while it arrives; the original is never stored.
        sync: Wait until all is on the disk.
        checksums: SHA-256 in hf2mlx.json of weights of more than 512 MB, too.
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
    return read(Report, _convert(locals()))


@_with_parameters_of(convert)
def plan(asked: dict[str, Any]) -> Plan:
    """What convert() with the same parameters would write, tensor by tensor.

    Reads headers only, at the hub where the model is not here, and writes nothing. With a target the weights are read to be measured, which
    `progress` and `cancel` are for.
    """
    return read(Plan, _convert(asked, dry_run=True))


@_with_variants_and_parameters_of(convert)
def convert_variants(asked: dict[str, Any]) -> list[Report]:
    """Converts to several models at once, while the source is read once: convert_variants([4, 8, "mxfp4"], "Qwen/Qwen3-8B", "out").

    `variants` says what they are: bits, "BITS:GROUP", "BITS:GROUP:MODE", a mode, a recipe, or "none" for plain MLX. The others are the
    parameters of convert(), which hold for all of them. The folders have labels: "out-4bit", "out-8bit" and "out-mxfp4" here. They appear
    at the end, one after the other. Returns a report for each, in the same order, and raises what convert() raises.
    """
    variants = list(map(str, asked.pop("variants")))
    if not variants:
        raise UsageError("variants: none found, one at least expected")
    return read_variants(_convert(asked, variant=variants))


def inspect(
    model: PathLike, revision: Optional[str] = None, *, arch: Optional[str] = None, arch_dir: Optional[PathLike] = None
) -> Inspection:
    """What a model is and how large it would become. Reads headers only. A model that cannot be converted is described all the same."""
    words = _words(model=model, revision=revision, arch=arch, arch_dir=arch_dir)
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
    words = _words(revision=revision, local_dir=local_dir, include=_several(include), exclude=_several(exclude), dry_run=dry_run)
    return read(DownloadReport, _hf2mlx.download(_places(), [*words, os.fsencode(repo)], listener_for(progress), cancel))


def upload(
    folder: PathLike,
    repo: str,
    *,
    message: Optional[str] = None,
    force: bool = False,
    progress: Progress = None,
    cancel: Optional[_hf2mlx.CancelToken] = None,
) -> UploadReport:
    """Uploads a model folder to the hub, as "org/name", which is made where it is not there; the token is that of HF_TOKEN or `hf auth login`.

    The folder is verified first, and CorruptError raised for one with errors, unless `force` is given. All files appear in one commit, at
    the end; what the hub has is not sent again. `message` is that of the commit.
    """
    words = [*_words(message=message, force=force), os.fsencode(folder), os.fsencode(repo)]
    return read(UploadReport, _hf2mlx.upload(_places(), words, listener_for(progress), cancel))


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
    words = _words(source=source, error=error, arch=arch, arch_dir=arch_dir, threads=threads, max_memory=max_memory)
    return read(Verification, _hf2mlx.verify(_places(), [*words, os.fsencode(folder)], listener_for(progress), cancel))


def architectures() -> list[Architecture]:
    """What can be converted."""
    return read_architectures(_hf2mlx.architectures())
