"""The exceptions. Each is an Error, and also what a caller of mlx_lm or huggingface_hub would catch in its place."""
from __future__ import annotations

import errno
import re
from functools import cache
from inspect import signature
from typing import Any

_BY_CODE: dict[str, type[Error]] = {}


class Error(Exception):
    """What went wrong ("where: what was found, what was expected"), which kind of thing that is, and what to do about it.

    `code` is the stable name that the program's --json prints, such as "not_found". `hint` may be empty; a traceback shows it.
    """

    code = "internal"
    hint = ""

    def __init__(self, message: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint
        if hint and hasattr(self, "add_note"):  # Python 3.11
            self.add_note(hint)

    def __init_subclass__(cls, code: str, **more: Any) -> None:
        super().__init_subclass__(**more)
        cls.code = code
        _BY_CODE[code] = cls


class UsageError(Error, ValueError, code="usage"):
    """Options that contradict each other or do not exist, and a target that is there already."""


class NotFoundError(Error, FileNotFoundError, code="not_found"):
    """No such folder, repository, revision or file."""


class UnsupportedError(Error, ValueError, code="unsupported"):
    """An architecture, a dtype or a source's quantization that is not known."""


class CorruptError(Error, ValueError, code="corrupt"):
    """A header, an index, a checksum or a size that disagrees with the rest of the model."""


class IoError(Error, OSError, code="io"):
    """The system refused to read or write."""


class NoSpaceError(IoError, code="no_space"):
    """The disk is full, or would be."""

    errno = errno.ENOSPC


class NetworkError(Error, ConnectionError, code="network"):
    """The hub cannot be reached."""


class AuthError(Error, PermissionError, code="auth"):
    """The hub refuses: a model is private or gated."""


class InternalError(Error, RuntimeError, code="internal"):
    """A defect of hf2mlx."""


class Cancelled(Error, code="cancelled"):
    """The call was stopped by its CancelToken. Ctrl-C raises KeyboardInterrupt."""


@cache
def _parameters() -> dict[str, str]:
    """Of all calls, by the program's options."""
    from . import _api

    calls = (_api.convert, _api.inspect, _api.download, _api.upload, _api.verify)
    names = {name for call in calls for name in signature(call).parameters}
    return {name.replace("_", "-"): name for name in names} | {"q-override": "overrides", "variant": "variants"}


def _named_as_here(text: str) -> str:
    """With parameters in place of the program's options: "--q-bits" is q_bits."""
    return re.sub(r"--([a-z][a-z-]*)", lambda match: _parameters().get(match[1], match[0]), text)


def make_error(code: str, message: str, hint: str) -> Error:
    """The exception for an error of the library."""
    return _BY_CODE[code](_named_as_here(message), _named_as_here(hint))
