"""Ways to watch a call. The library tells a listener what begins, how far it is, what has ended, and notes."""
from __future__ import annotations

import importlib
import logging
import warnings
from collections.abc import Callable
from typing import Any, Optional, Union

# Called with what is being done, bytes done and bytes in all; what it raises ends the call.
ProgressCallback = Callable[[str, int, int], Any]
Progress = Optional[Union[bool, ProgressCallback]]

_log = logging.getLogger("hf2mlx")


class Listener:
    """Hears and says nothing, but for notes, which go to the logger "hf2mlx"."""

    def begin(self, what: str, total: int) -> None: ...

    def advance(self, done: int) -> None: ...

    def end(self) -> None: ...

    def note(self, line: str) -> None:
        _log.info(line)


class _Teller(Listener):
    """Tells a callback."""

    def __init__(self, callback: ProgressCallback) -> None:
        self._callback = callback
        self._what, self._total = "", 0

    def begin(self, what: str, total: int) -> None:
        self._what, self._total = what, total
        self._callback(what, 0, total)

    def advance(self, done: int) -> None:
        self._callback(self._what, done, self._total)


class _Bar(Listener):
    """Shows a bar of tqdm for each thing done."""

    def __init__(self, tqdm: Any) -> None:
        self._tqdm = tqdm
        self._bar: Any = None

    def begin(self, what: str, total: int) -> None:
        self._bar = self._tqdm(desc=what, total=total, unit="B", unit_scale=True)

    def advance(self, done: int) -> None:
        self._bar.update(done - self._bar.n)

    def end(self) -> None:
        self._bar.close()


def listener_for(progress: Progress) -> Listener:
    """None or False: nothing is shown; True: bars of tqdm, where that is installed; else it is called."""
    if callable(progress):
        return _Teller(progress)
    if not progress:
        return Listener()
    try:
        tqdm = importlib.import_module("tqdm.auto").tqdm
    except ImportError:
        warnings.warn("progress=True shows bars of tqdm, which is not installed: pip install tqdm", stacklevel=3)
        return Listener()
    return _Bar(tqdm)
