"""The exceptions. Each is an Error, and also what a caller of mlx_lm or huggingface_hub would catch in its place."""
from __future__ import annotations

import errno
import re

# Options whose name here is that of the program, with other signs.
_OPTIONS = frozenset(
    """arch arch_dir dequantize dry_run dtype error exclude fix_eos force imatrix include lm_studio local_dir max_memory max_shard_size mlx_path name q_bits
    q_candidates q_fit q_group_size q_lattice q_mode q_override quant_predicate quantize requantize revision sensitivity single_file source sync target_bpw
    target_size threads trust_remote_code""".split()
)


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


class UsageError(Error, ValueError):
    """Options that contradict each other or do not exist, and a target that is there already."""

    code = "usage"


class NotFoundError(Error, FileNotFoundError):
    """No such folder, repository, revision or file."""

    code = "not_found"


class UnsupportedError(Error, ValueError):
    """An architecture, a dtype or a source's quantization that is not known."""

    code = "unsupported"


class CorruptError(Error, ValueError):
    """A header, an index, a checksum or a size that disagrees with the rest of the model."""

    code = "corrupt"


class IoError(Error, OSError):
    """The system refused to read or write."""

    code = "io"


class NoSpaceError(IoError):
    """The disk is full, or would be."""

    code = "no_space"

    def __init__(self, message: str = "", hint: str = "") -> None:
        super().__init__(message, hint)
        self.errno = errno.ENOSPC


class NetworkError(Error, ConnectionError):
    """The hub cannot be reached."""

    code = "network"


class AuthError(Error, PermissionError):
    """The hub refuses: a model is private or gated."""

    code = "auth"


class InternalError(Error, RuntimeError):
    """A defect of hf2mlx."""

    code = "internal"


class Cancelled(Error):
    """The call was stopped by its CancelToken. Ctrl-C raises KeyboardInterrupt."""

    code = "cancelled"


_BY_CODE = {
    kind.code: kind
    for kind in (
        UsageError, NotFoundError, UnsupportedError, CorruptError, IoError, NoSpaceError, NetworkError, AuthError, InternalError, Cancelled
    )
}


def _named_as_here(text: str) -> str:
    """With parameters in place of the program's options: "--q-bits" is q_bits."""

    def parameter(match: re.Match[str]) -> str:
        name = match[1].replace("-", "_")
        return name if name in _OPTIONS else match[0]

    return re.sub(r"--([a-z][a-z-]*)", parameter, text)


def make_error(code: str, message: str, hint: str) -> Error:
    """The exception for an error of the library."""
    return _BY_CODE[code](_named_as_here(message), _named_as_here(hint))
