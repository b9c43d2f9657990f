"""Reading a file that a person named: a plain file of a bounded size, else an `OSError` that says what it is.

A FIFO would be waited for without end and `/dev/zero` would fill the memory. So the file is opened without
waiting, looked at by its descriptor (a name can be exchanged between looking and opening), and no more is
read than may be in it.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import tomllib
from pathlib import Path
from typing import Any

_KINDS = (
    (stat.S_ISDIR, "it is a folder"),
    (stat.S_ISFIFO, "it is a pipe, not a file"),
    (stat.S_ISSOCK, "it is a socket, not a file"),
)
_FLAGS = os.O_RDONLY | sum(
    getattr(os, name, 0) for name in ("O_NONBLOCK", "O_NOCTTY", "O_CLOEXEC", "O_BINARY")
)
_DEEP_KEY = re.compile(r"""(?>(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')\s*+\.\s*+){30}""")
_DEEP_VALUE = re.compile(r"(?:[\[{]\s*+){30}")


def open_plain(path: Path) -> int:
    """Open a plain file for reading, without waiting for anything, and give its descriptor.

    Raises:
        OSError: There is none, it cannot be read, or it is no plain file; `strerror` says which.
    """
    try:
        descriptor = os.open(path, _FLAGS)
    except ValueError:  # a NUL character
        raise OSError(errno.EINVAL, "no file can have that name") from None
    except OSError as problem:
        if problem.errno == errno.ENXIO:
            raise OSError(errno.EINVAL, "it is a socket, not a file") from None
        raise
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        return descriptor
    os.close(descriptor)
    what = next((words for is_kind, words in _KINDS if is_kind(mode)), "it is a device, not a file")
    raise OSError(errno.EINVAL, what)


def read_plain(path: Path, largest: int) -> bytes:
    """All bytes of a plain file.

    Args:
        path: The file.
        largest: How many bytes it may have.

    Raises:
        OSError: As `open_plain`, or it has more bytes.
    """
    with os.fdopen(open_plain(path), "rb") as file:
        raw = file.read(largest + 1)
    if len(raw) > largest:
        raise OSError(errno.EFBIG, f"it has more than {largest:,} bytes")
    return raw


def parse_toml(text: str) -> dict[str, Any]:
    """The tables of a TOML file, in bounded time.

    Raises:
        tomllib.TOMLDecodeError: It is no TOML, or nested deeper than a person would write; tells the line.
    """
    # tomllib's time grows with the square of a dotted key's parts: minutes for 100 kB.
    deep = _DEEP_KEY.search(text)
    if deep is None:
        try:
            return tomllib.loads(text)
        except RecursionError:
            deep = _DEEP_VALUE.search(text)
    line = text.count("\n", 0, deep.start()) + 1 if deep else 1
    raise tomllib.TOMLDecodeError(f"Nested too deeply (at line {line}, column 1)")
