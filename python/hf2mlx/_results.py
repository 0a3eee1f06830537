"""What calls return: the objects that the program's --json prints, with the same names."""
from __future__ import annotations

import dataclasses
import json
import keyword
from dataclasses import dataclass, field
from typing import Any, Optional, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")


@dataclass(frozen=True)
class FrontierPoint:
    """What a size costs: one of the best assignments of bits to layers."""

    bytes: int
    bits_per_weight: float
    error: float
    chosen: bool


@dataclass(frozen=True)
class LayerError:
    """What quantizing has changed of one layer, or of all; `measured` of its values were looked at."""

    layer: str
    encoding: str
    values: int
    measured: int
    weighted: bool
    relative_rms: float
    rounding_rms: float
    worst_group: float
    worst_index: int
    group_errors: list[list[float]]
    zeros: float
    rounding_zeros: float
    source_zeros: float


@dataclass(frozen=True)
class TensorReport:
    """One tensor of the output, exactly as it will be."""

    name: str
    dtype: str
    shape: list[int]
    encoding: str
    shard: str
    offset_bytes: int
    size_bytes: int


@dataclass(frozen=True)
class _Conversion:
    model: str
    architecture: str
    model_type: str
    source: str
    output: str
    source_bytes: int
    output_bytes: int
    parameters: int
    bits_per_weight: float
    quantized_layers: int
    files: list[str]
    notes: list[str]
    dry_run: bool


@dataclass(frozen=True)
class UploadedFile:
    """One file of an upload."""

    path: str
    size_bytes: int
    was_there: bool


@dataclass(frozen=True)
class UploadReport:
    """What an upload did."""

    repo_id: str
    commit: str
    url: str
    files: list[UploadedFile]
    removed: list[str]
    total_bytes: int
    sent_bytes: int
    seconds: float


@dataclass(frozen=True)
class Report(_Conversion):
    """What a conversion did."""

    seconds: float
    upload: Optional[UploadReport] = None
    received_bytes: int = 0
    frontier: list[FrontierPoint] = field(default_factory=list)
    errors: list[LayerError] = field(default_factory=list)
    whole_error: Optional[LayerError] = None


@dataclass(frozen=True)
class Plan(_Conversion):
    """What a conversion would do."""

    tensors: list[TensorReport]
    received_bytes: int = 0
    frontier: list[FrontierPoint] = field(default_factory=list)


@dataclass(frozen=True)
class SizeChoice:
    """The size for one choice of quantization."""

    label: str
    bytes: int
    bits_per_weight: float
    options: list[str]


@dataclass(frozen=True)
class SourceTensor:
    """One tensor of a checkpoint."""

    name: str
    dtype: str
    shape: list[int]
    file: str
    size_bytes: int


@dataclass(frozen=True)
class Inspection:
    """What a model is, and how large it would become. `why_not` is empty where it can be converted."""

    model: str
    architecture: str
    model_type: str
    quantization: str
    convertible: bool
    why_not: str
    source: str
    source_bytes: int
    parameters: int
    dtypes: dict[str, int]
    sizes: list[SizeChoice]
    tensors: list[SourceTensor]
    notes: list[str]
    received_bytes: int = 0


@dataclass(frozen=True)
class DownloadedFile:
    """One file of a download."""

    path: str
    size_bytes: int
    was_there: bool


@dataclass(frozen=True)
class DownloadReport:
    """What a download did, or would do."""

    repo_id: str
    revision: str
    commit: str
    folder: str
    files: list[DownloadedFile]
    total_bytes: int
    received_bytes: int
    notes: list[str]
    dry_run: bool
    seconds: float


@dataclass(frozen=True)
class ListedModel:
    """A model of this machine."""

    model: str
    revision: str
    path: str
    source_bytes: int
    parameters: int
    architecture: str
    model_type: str
    quantization: str
    convertible: bool
    why_not: str


@dataclass(frozen=True)
class ModelList:
    """The models of a folder, which may be missing."""

    folder: str
    models: list[ListedModel]


@dataclass(frozen=True)
class ConversionSource:
    """What a conversion was made of, as its manifest says."""

    name: str
    repo_id: str
    revision: str
    commit: str


@dataclass(frozen=True)
class Original:
    """What has become of it. `state` is "current", "moved", "unknown" or "absent"."""

    path: str
    commit: str
    state: str


@dataclass(frozen=True)
class Conversion:
    """A folder that a conversion has made. `as_` says how, such as "4bit"."""

    path: str
    as_: str
    options: dict[str, Any]
    version: str
    source: ConversionSource
    original: Original


@dataclass(frozen=True)
class ModelLists:
    """The models of the Hugging Face cache and of LM Studio, and what has been made of which."""

    cache: ModelList
    lm_studio: ModelList
    conversions: list[Conversion]


@dataclass(frozen=True)
class Finding:
    """Something about a model folder. `severity` is "note", "warning" or "error"."""

    severity: str
    check: str
    place: str
    reason: str
    remedy: str
    refused_by: list[str]


@dataclass(frozen=True)
class Comparison:
    """Tensors of a folder against those of a conversion of its source, counted."""

    source: str
    equal: int
    different: int
    missing: int
    unexpected: int


@dataclass(frozen=True)
class Verification:
    """What is to be said of a model folder: errors first."""

    model: str
    model_type: str
    folder: str
    tensors: int
    weight_bytes: int
    findings: list[Finding]
    seconds: float
    comparison: Optional[Comparison] = None
    errors: list[LayerError] = field(default_factory=list)
    whole_error: Optional[LayerError] = None

    @property
    def worst(self) -> str:
        """The severity of the worst finding; "note" where there is none."""
        return self.findings[0].severity if self.findings else "note"


@dataclass(frozen=True)
class Architecture:
    """What can be converted."""

    name: str
    model_types: list[str]
    summary: str
    operations: list[str]


def _value(hint: Any, value: Any) -> Any:
    arguments = get_args(hint)
    if get_origin(hint) is list:
        return [_value(arguments[0], item) for item in value]
    if get_origin(hint) is Union:  # Optional: what is missing has not come here
        return _value(arguments[0], value)
    return _object(hint, value) if isinstance(hint, type) and dataclasses.is_dataclass(hint) else value


def _object(kind: type[T], fields: dict[str, Any]) -> T:
    hints = get_type_hints(kind)
    named = {f"{name}_" if keyword.iskeyword(name) else name: value for name, value in fields.items()}
    return kind(**{name: _value(hints[name], value) for name, value in named.items() if name in hints})


def read(kind: type[T], text: str) -> T:
    """The object of that type that `text`, as the library writes it, stands for."""
    return _object(kind, json.loads(text))


def read_variants(text: str) -> list[Report]:
    return [_object(Report, fields) for fields in json.loads(text)["variants"]]


def read_architectures(text: str) -> list[Architecture]:
    return [_object(Architecture, fields) for fields in json.loads(text)["architectures"]]
