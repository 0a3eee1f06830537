"""What a quant_predicate is given: a layer that can be asked what predicates ask of an mlx.nn.Module.

The classes are named after those of MLX and mlx_lm that they stand for. Where MLX is imported, isinstance(layer, mlx.nn.Linear) holds too.
"""
from __future__ import annotations

import math
import operator
import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn, Optional, Union

# What a predicate returns: whether to quantize, or with which of "bits", "group_size" and "mode".
Choice = Union[bool, dict[str, Any], None]
Predicate = Callable[[str, "Layer"], Choice]


class Weight:
    """The shape of a weight. Its values are not read yet when a predicate is asked."""

    __slots__ = ("shape",)

    def __init__(self, shape: Sequence[int]) -> None:
        self.shape = tuple(shape)

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    def __repr__(self) -> str:
        return f"Weight(shape={self.shape})"


class Layer:
    """A layer that can be quantized."""

    # Module and name of the class that this one stands for.
    _stands_for = ("mlx.nn", "Module")

    def __init__(self, path: str, shape: Sequence[int], has_bias: bool) -> None:
        self.path = path
        self.weight = Weight(shape)
        self._parameters = ("weight", "bias") if has_bias else ("weight",)

    @property
    def __class__(self) -> type:
        """What isinstance() looks at: the class of MLX where that is imported."""
        module, name = self._stands_for
        return getattr(sys.modules.get(module), name, type(self))

    @__class__.setter
    def __class__(self, _: type) -> NoReturn:
        raise TypeError("a layer keeps its class")

    def __contains__(self, parameter: object) -> bool:
        return parameter in self._parameters

    def to_quantized(self, *_: object, **__: object) -> NoReturn:
        """Here for `hasattr(layer, "to_quantized")`: quantizing is up to convert()."""
        raise TypeError("a predicate says how a layer is to be quantized, and convert() does it")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.path!r}, shape={self.weight.shape})"


class Linear(Layer):
    """weight: [out, in]"""

    _stands_for = ("mlx.nn", "Linear")


class Embedding(Layer):
    """weight: [rows, dims]"""

    _stands_for = ("mlx.nn", "Embedding")


class SwitchLinear(Layer):
    """A linear layer for each expert. weight: [experts, out, in]"""

    _stands_for = ("mlx_lm.models.switch_layers", "SwitchLinear")


class MultiLinear(Layer):
    """A linear layer for each head. weight: [heads, in, out]"""

    _stands_for = ("mlx_lm.models.mla", "MultiLinear")


_BY_ROLE = {"linear": Linear, "embedding": Embedding, "switch": SwitchLinear, "multilinear": MultiLinear}

# None: not quantized. Otherwise what is stated of bits, group size and mode; nothing: as the other options say.
Stated = Optional[tuple[Optional[int], Optional[int], Optional[str]]]
# A predicate as the library asks it: with path, role, shape and whether there is a bias.
Asked = Callable[[str, str, Sequence[int], bool], Stated]


def _stated(path: str, choice: Choice) -> Stated:
    if not choice:
        return None
    if choice is True:
        return (None, None, None)
    if not isinstance(choice, dict):
        raise ValueError(f"quant_predicate returned {choice!r} for {path}: a bool or a dict of bits, group_size and mode expected")
    unknown = set(choice) - {"bits", "group_size", "mode"}
    if unknown == {"quantize_input"} and not choice["quantize_input"]:
        unknown = set()
    if unknown:
        raise TypeError(f"quant_predicate returned {choice!r} for {path}: {', '.join(sorted(unknown))} cannot be stated here")
    bits, group_size, mode = (choice.get(key) for key in ("bits", "group_size", "mode"))
    if mode is not None and not isinstance(mode, str):
        raise TypeError(f"quant_predicate returned {choice!r} for {path}: a mode is a str")
    return (None if bits is None else operator.index(bits), None if group_size is None else operator.index(group_size), mode)


def as_library_asks(predicate: Predicate) -> Asked:
    return lambda path, role, shape, has_bias: _stated(path, predicate(path, _BY_ROLE[role](path, shape, has_bias)))
