"""One source, two ways to run it: compiled by numba, or as plain Python.

Hot loops are written once, in the subset that both understand, and decorated with
:func:`compiled`. ``ECONOMY_PURE_PYTHON=1`` leaves them as plain Python: tests compare
the two, and a debugger can step through the loop that production runs.

The cache on disk knows when a function's own file has changed, not when the file of a
compiled function that it calls has: after editing one of those (``economy/wide.py``), run
``make clean`` or delete ``__pycache__``.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar, cast

PURE_PYTHON = os.environ.get("ECONOMY_PURE_PYTHON", "") not in ("", "0")

F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """Compile ``function`` with numba (cached on disk, no GIL), unless told not to.

    The plain function stays reachable as ``function.py_func`` either way.
    """
    if PURE_PYTHON:
        function.py_func = function  # type: ignore[attr-defined]
        return function
    import numba

    return cast(F, numba.njit(cache=True, nogil=True)(function))
