"""Reading a file that a person named: a plain file of a bounded size, else an `OSError` that says what it is.
TOML that people edit by hand is refused with file, line and key. Writing a file whole or not at all.

A FIFO would be waited for without end and `/dev/zero` would fill the memory. So the file is opened without
waiting, looked at by its descriptor (a name can be exchanged between looking and opening), and no more is
read than may be in it.
"""

from __future__ import annotations

import errno
import json
import os
import re
import stat
import tempfile
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from syncerr_tui.errors import BadInputError, MachineError
from syncerr_tui.text import one_line

if TYPE_CHECKING:
    from tomlkit import TOMLDocument

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
_KEY = r"""(?:"[^"\n]*"|'[^'\n]*'|[\w-]+)"""
_KEYS = rf"{_KEY}(?:\s*\.\s*{_KEY})*"
_KEY_LINE = re.compile(rf"\s*({_KEYS})\s*=")
_TABLE_LINE = re.compile(rf"\s*\[\s*({_KEYS})\s*\]")
_ARRAY_LINE = re.compile(rf"\s*\[\[\s*({_KEYS})\s*\]\]")
_WHERE = re.compile(r"\(at (?:line (\d+), column \d+|end of document)\)")


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

    Raises:
        OSError: As `open_plain`, or it has more bytes.
    """
    with os.fdopen(open_plain(path), "rb") as file:
        raw = file.read(largest + 1)
    if len(raw) > largest:
        raise OSError(errno.EFBIG, f"it has more than {largest:,} bytes")
    return raw


def read_json(path: Path, largest: int) -> Any:  # noqa: ANN401 - whatever JSON can hold
    """What a plain file of JSON holds.

    Raises:
        OSError: As `read_plain`.
        ValueError: It is no JSON in UTF-8, or none that this machine can take in.
    """
    raw = read_plain(path, largest)
    try:
        return json.loads(raw.decode())
    except (RecursionError, MemoryError) as problem:
        raise ValueError(path) from problem


def _reason(problem: OSError) -> str:
    return one_line(problem.strerror or type(problem).__name__)


@contextmanager
def reading(what: str, hint: str = "Check the path") -> Iterator[None]:
    """While a file is read.

    Raises:
        BadInputError: It cannot be, in words.
    """
    try:
        yield
    except OSError as problem:
        raise BadInputError(f"{one_line(what)} cannot be read: {_reason(problem)}", hint) from None


@contextmanager
def writing(path: Path, hint: str, *, taken: str = "") -> Iterator[None]:
    """While a file is written.

    Args:
        path: The file.
        hint: What to do where it cannot be written.
        taken: What to do where it has to be a new one, and is there already.

    Raises:
        BadInputError: It is there already.
        MachineError: It cannot be written.
    """
    shown = one_line(str(path))
    try:
        yield
    except OSError as problem:
        if taken and isinstance(problem, FileExistsError):
            raise BadInputError(f"{shown} is there already", taken) from None
        raise MachineError(f"{shown} cannot be written: {_reason(problem)}", hint) from problem


def replace_file(
    path: Path, text: str, mode: int = 0o600, *, durable: bool = False, backup: Path | None = None
) -> None:
    """Write a file so that whoever reads it finds the old one or the new one, whole.

    Args:
        path: The file, there or not; its folder is there.
        text: What it says from now on.
        mode: Who may read it.
        durable: It has to outlast a power failure.
        backup: Where what stood there is kept.

    Raises:
        OSError: The disk does not take it; what stood there stays.
    """
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # 0600
    try:
        _write(descriptor, text, durable=durable)
        if mode != 0o600:
            Path(name).chmod(mode)
        if backup is not None and path.exists():
            backup.write_bytes(path.read_bytes())
        Path(name).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise
    if durable:
        _sync_folder(path.parent)


def create_file(path: Path, text: str, *, durable: bool = False) -> None:
    """Write a new file for its owner only; nothing stays of one that the disk does not take.

    Args:
        path: The file; its folder is there.
        text: What it says.
        durable: It has to outlast a power failure.

    Raises:
        FileExistsError: There is one.
        OSError: It cannot be written.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except ValueError:  # a NUL character
        raise OSError(errno.EINVAL, "no file can have that name") from None
    try:
        _write(descriptor, text, durable=durable)
    except BaseException:
        with suppress(OSError):
            path.unlink()
        raise
    if durable:
        _sync_folder(path.parent)


def _write(descriptor: int, text: str, *, durable: bool = False) -> None:
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace", newline="") as file:
        file.write(text)
        if durable:
            file.flush()
            os.fsync(file.fileno())


def _sync_folder(path: Path) -> None:
    """Have the file's name outlast a power failure too, on systems where a folder can be written out."""
    if hasattr(os, "O_DIRECTORY"):
        folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


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


_LONGEST_NAME = 80
"""Characters of a key that are compared: a long one takes its square in steps."""
TomlKeys = tuple[str | int, ...]
"""The way to a key: names of tables, and numbers (from 0) in arrays of them."""


def shown_value(value: object) -> str:
    """A value as a refusal repeats it: short, and no more than one line."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return f"'{one_line(value)[:40]}'"
        case list():
            return "a list"
        case dict():
            return "a table"
        case _:
            return one_line(str(value))[:40]


def near(text: str, known: Iterable[str], names: Mapping[str, str] = MappingProxyType({})) -> str:
    """A hint at what may be meant, by its name where it has another one; empty where nothing is like it."""
    from difflib import get_close_matches

    close = get_close_matches(text[:_LONGEST_NAME], list(known), 1)
    return f"Did you mean {names.get(close[0], close[0])}?" if close else ""


@dataclass(frozen=True, slots=True)
class TomlSource:
    """A TOML file as a person wrote it, to name file, line and key in a refusal."""

    path: Path
    text: str

    @classmethod
    def read(cls, path: Path, largest: int) -> TomlSource | None:
        """The file; None where there is none.

        Raises:
            BadInputError: It cannot be read, or is not UTF-8.
        """
        with reading(str(path), "Check the file and its permissions"):
            try:
                raw = read_plain(path, largest)
            except FileNotFoundError:
                return None
        try:
            return cls(path, raw.decode("utf-8-sig"))
        except UnicodeDecodeError as problem:
            line = raw.count(b"\n", 0, problem.start) + 1
            raise BadInputError(f"{path}:{line}: this is not UTF-8 text", "Save the file as UTF-8") from None

    def tables(self) -> dict[str, Any]:
        """What it says.

        Raises:
            BadInputError: It is no TOML.
        """
        try:
            return parse_toml(self.text)
        except tomllib.TOMLDecodeError as problem:
            where = _WHERE.search(str(problem))
            line = int(where[1]) if where and where[1] else self.text.count("\n") + 1
            lines = self.text.splitlines()
            match = _KEY_LINE.match(lines[line - 1]) if 0 < line <= len(lines) else None
            key = f"{'.'.join(key_parts(match[1]))}: " if match else ""
            raise BadInputError(
                f"{self.path}:{line}: {key}this is not TOML: {one_line(_WHERE.sub('', str(problem)))}",
                "Correct the line; nothing was changed",
            ) from None

    def edited(self, change: Callable[[TOMLDocument], object]) -> TomlSource | None:
        """The file with a change, and all else as it was written; None where it cannot be changed like this.

        Whoever writes it down reads it again first.
        """
        import tomlkit
        from tomlkit.exceptions import TOMLKitError

        try:
            document = tomlkit.parse(self.text)
            change(document)
            return TomlSource(self.path, tomlkit.dumps(document))
        except (TOMLKitError, TypeError, KeyError, AttributeError):
            return None

    def refuse(self, keys: TomlKeys, why: str, hint: str = "") -> BadInputError:
        """The refusal of one key; a table where `keys` names one."""
        line = self._line(keys)
        place = f"{self.path}:{line}" if line else str(self.path)
        named = one_line(".".join(key for key in keys if isinstance(key, str)))
        return BadInputError(f"{place}: {named} {why}", hint or "Correct the file; nothing was changed")

    def wrong(self, keys: TomlKeys, expected: str, value: object, hint: str = "") -> BadInputError:
        """The refusal of a value that is something else than what is wanted."""
        return self.refuse(keys, f"must be {expected}, not {shown_value(value)}", hint)

    def check_known(
        self,
        table: Iterable[str],
        known: Sequence[str],
        keys: TomlKeys = (),
        old: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """Raises: BadInputError: A key is none of the known ones, nor an old name of one (old -> known)."""
        for key in table:
            if key not in known and key not in old:
                hint = near(key, (*known, *old), old) or f"Known here: {', '.join(known)}"
                raise self.refuse((*keys, key), "is not a setting that this version knows", hint)

    def texts(self, keys: TomlKeys, value: object) -> list[str]:
        """One text, or a list of them."""
        items = value if isinstance(value, list) else [value]
        texts = [item for item in items if isinstance(item, str)]
        if len(texts) < len(items):
            raise self.wrong(keys, "a text or a list of texts", value)
        return texts

    def _line(self, keys: TomlKeys) -> int | None:
        """The line of the key, else of what holds it."""
        table: TomlKeys = ()
        seen: Counter[str] = Counter()
        best, line_of_best = 0, None
        for number, line in enumerate(self.text.splitlines(), 1):
            if header := _ARRAY_LINE.match(line):
                here = table = (*key_parts(header[1]), seen[header[1]])
                seen[header[1]] += 1
            elif header := _TABLE_LINE.match(line):
                here = table = key_parts(header[1])
            elif match := _KEY_LINE.match(line):
                here = (*table, *key_parts(match[1]))
            else:
                continue
            if len(here) > best and keys[: len(here)] == here:
                best, line_of_best = len(here), number
        return line_of_best


def key_parts(text: str) -> tuple[str, ...]:
    """The parts of a key or of a table's name: `a."b.c"` has two."""
    return tuple(part.strip("\"'") for part in re.findall(_KEY, text))
