"""Org profiles on disk: one TOML file for each org, read strictly and written atomically.

One file an org, because a profile is edited by hand: setting up another org then never rewrites somebody's
comments, and a typing error in one file does not lock a person out of the other orgs. The dataclasses of
`profiles` are the schema, and every refusal names its line.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import os
import re
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

from syncerr_tui.diagnosis.links import safe_url
from syncerr_tui.errors import BadInputError, MachineError
from syncerr_tui.files import TomlSource, create_file, replace_file, shown_value, writing
from syncerr_tui.fixes.org import FixScope
from syncerr_tui.model import EventType
from syncerr_tui.salesforce.button.learn import IdField
from syncerr_tui.salesforce.button.template import check
from syncerr_tui.salesforce.profiles import (
    AUTH_METHODS,
    DEFAULT_EVENT_TYPES,
    METHODS,
    ButtonMethod,
    FieldMapping,
    FixSettings,
    OrgProfile,
    SecretRef,
)
from syncerr_tui.salesforce.soql import to_18
from syncerr_tui.text import one_line

if TYPE_CHECKING:
    import tomlkit

_API_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,120}")
_RANGES: Mapping[str, tuple[float, float]] = {
    "concurrency": (1, 25),
    "batch_size": (1, 200),
    "proof_timeout": (0, 86_400),
    "api_reserve": (0, 0.9),
    "length": (15, 36),
}
_OLD_KEYS: Mapping[str, str] = {"lanes": "concurrency", "patience": "proof_timeout"}
"""What version 0.1.0 called settings -> their names."""
_FREE_TEXTS = frozenset({"address", "value"})
"""Keys of methods that hold no API name and have no rule of their own."""
_NOT_HTTPS = "must be an https address such as https://acme.my.salesforce.com"
_TEXTS: Mapping[str, tuple[Callable[[str], object], str]] = {
    "api_version": (re.compile(r"([1-9]\d\.0)?").fullmatch, "must look like 64.0"),
    "client_id": (bool, ""),
    "ids_key": (bool, ""),
    "key_file": (bool, ""),
    "login_url": (safe_url, _NOT_HTTPS),
    "path": (
        re.compile(r"[A-Za-z0-9_-]+(?:/[A-Za-z0-9_-]+)*").fullmatch,
        "must be a path below /services/apexrest/, such as acme/resync",
    ),
    "sync_user": (
        lambda value: not value or to_18(value),
        "must be the id of a user, such as 0055g000001abcdEAA",
    ),
    "token_url": (lambda value: not value or safe_url(value), _NOT_HTTPS),
    "username": (bool, ""),
}
"""What a text has to be, and what is said where it is not. One that may not be empty says so by itself."""
FIX_SCOPES = tuple(scope.value for scope in FixScope)

Table = Mapping[str, Any]
D = TypeVar("D")
E = TypeVar("E", bound=StrEnum)


def profile_of(table: Mapping[str, Any], source: TomlSource, name: str) -> OrgProfile:
    """The profile that a TOML document says.

    Raises:
        BadInputError: An unknown key, a wrong type, a value out of range; file, line and key named.
    """
    return _build(OrgProfile, table, source, (), inherited={"name": name})


def text_of(profile: OrgProfile) -> str:
    """A profile as TOML; what equals the default is left out, except what a person should see."""
    top: list[str] = [
        f"# How syncerr-tui reaches the org '{profile.name}'. Yours to edit; 'syncerr-tui doctor' checks it.",
        f"environment = {_value(profile.environment)}",
    ]
    tables: list[str] = []
    for field in dataclasses.fields(profile):
        value = getattr(profile, field.name)
        if field.name in {"name", "environment"}:
            continue
        if field.name in {"way", "method"}:
            tables += ["", f"[{field.name}]", f"kind = {_value(value.kind)}", *_lines(value)]
        elif field.name == "mapping":
            tables += _mapping(value) if value is not None else []
        elif field.name == "fixes":
            tables += ["", "[fixes]", *_lines(value)] if value != field.default else []
        elif value != field.default:
            top.append(f"{field.name} = {_value(value)}")
    return "\n".join([*top, *tables, ""])


def _mapping(mapping: FieldMapping) -> list[str]:
    lines = ["", "# API names of the change event object in this org.", "[mapping]", *_lines(mapping)]
    if mapping.event_types != DEFAULT_EVENT_TYPES:
        lines += ["", "# The org's value = what it means (Create, Update, Delete or Other)."]
        lines += ["[mapping.event_types]"]
        lines += [f"{_value(value)} = {_value(kind)}" for value, kind in mapping.event_types.items()]
    return lines


def _lines(value: Any) -> list[str]:  # noqa: ANN401 - any of the profile dataclasses
    return [
        f"{field.name} = {_value(item)}"
        for field in dataclasses.fields(value)
        if (item := getattr(value, field.name)) != field.default and field.name != "event_types"
    ]


def _value(value: object) -> str:
    import tomlkit

    if isinstance(value, tuple):
        return tomlkit.item([str(one) for one in value]).as_string()
    return tomlkit.item(value if isinstance(value, int | float) else str(value)).as_string()


_hints = functools.cache(typing.get_type_hints)


def _build(
    kind: type[D],
    table: Table,
    source: TomlSource,
    keys: tuple[str, ...],
    inherited: Table = MappingProxyType({}),
) -> D:
    hints = _hints(kind)  # type: ignore[arg-type]  # a class is hashable
    fields = {field.name: field for field in dataclasses.fields(kind) if field.name not in inherited}  # type: ignore[arg-type]
    values: dict[str, Any] = dict(inherited)
    old_keys = {old: name for old, name in _OLD_KEYS.items() if name in fields}
    source.check_known(table, [*fields], keys, old_keys)
    for key, value in table.items():
        name = old_keys.get(key, key)
        if name != key and name in table:
            raise source.refuse(
                (*keys, key), f"is the old name of {name}, which is there too", "Keep one of them"
            )
        values[name] = _read(hints[name], value, source, (*keys, key), kind)
    for name, field in fields.items():
        required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        if required and name not in values:
            raise source.refuse(keys, f"needs {name}", f"Add {name} = ...")
    return kind(**values)


def _read(hint: Any, value: object, source: TomlSource, keys: tuple[str, ...], owner: type) -> Any:  # noqa: ANN401
    """The value of a key: a table as the dataclass that it is, everything else checked against its type."""
    if keys in _TABLES:
        if not isinstance(value, dict):
            raise _wrong(source, keys, "a table", value, f"Write it as [{'.'.join(keys)}]")
        return _TABLES[keys](value, source, keys)
    if hint is bool:
        fits, expected = isinstance(value, bool), "true or false"
    elif hint in {int, float}:
        low, high = _RANGES[_OLD_KEYS.get(keys[-1], keys[-1])]
        expected = f"a {'whole ' if hint is int else ''}number from {low:g} to {high:g}"
        number = isinstance(value, hint | int) and not isinstance(value, bool)
        fits = number and low <= value <= high  # type: ignore[operator]  # a number by now
    elif typing.get_origin(hint) is tuple:
        expected = "a list of texts"
        fits = isinstance(value, list) and all(isinstance(item, str) for item in value)
        fits = fits and bool(value or owner is FixSettings)
    else:
        fits, expected = isinstance(value, str), "a text in quotes"
    if not fits:
        raise _wrong(source, keys, expected, value)
    if isinstance(value, str):
        return _text(hint, value, source, keys, owner)
    return _texts(value, source, keys) if isinstance(value, list) else hint(value)


def _wrong(
    source: TomlSource, keys: tuple[str, ...], expected: str, value: object, hint: str = ""
) -> BadInputError:
    """As `TomlSource.wrong`, and no text is repeated: it may be a secret in the wrong place."""
    shown = "a text" if isinstance(value, str) else shown_value(value)
    return source.refuse(keys, f"must be {expected}, not {shown}", hint)


def _kind(kinds: Mapping[str, type[Any]], table: Table, source: TomlSource, keys: tuple[str, ...]) -> object:
    kind = table.get("kind")
    chosen = kinds.get(kind) if isinstance(kind, str) else None
    if chosen is None:
        raise source.refuse((*keys, "kind"), f"must be one of {', '.join(kinds)}")
    rest = {key: item for key, item in table.items() if key != "kind"}
    built = _build(chosen, rest, source, keys)
    if isinstance(built, ButtonMethod) and (problem := stored_problem(built)):
        hint = "Record the button again: 'syncerr-tui learn-button'"
        raise source.refuse((*keys, problem[0]), problem[1], hint)
    return built


def _event_types(table: Table, source: TomlSource, keys: tuple[str, ...]) -> Mapping[str, EventType]:
    if not table:
        raise _wrong(source, keys, "a table with something in it", table)
    kinds: dict[str, EventType] = {}
    for word, kind in table.items():
        if not isinstance(kind, str):
            raise _wrong(source, (*keys, word), "a text in quotes", kind)
        kinds[word] = _word(EventType, kind, source, (*keys, word))
    return MappingProxyType(kinds)


_TABLES: Mapping[tuple[str, ...], Callable[[Table, TomlSource, tuple[str, ...]], object]] = {
    ("way",): functools.partial(_kind, AUTH_METHODS),
    ("method",): functools.partial(_kind, METHODS),
    ("mapping",): functools.partial(_build, FieldMapping),
    ("mapping", "event_types"): _event_types,
    ("fixes",): functools.partial(_build, FixSettings),
}


def _texts(values: Sequence[str], source: TomlSource, keys: tuple[str, ...]) -> tuple[str, ...]:
    if keys == ("fixes", "allow") and (unknown := [item for item in values if item not in FIX_SCOPES]):
        why = f"does not know '{one_line(unknown[0])[:40]}'"
        raise source.refuse(keys, why, f"It takes: {', '.join(FIX_SCOPES)}")
    if keys == ("fixes", "bypass_permission_sets") and not all(map(_API_NAME.fullmatch, values)):
        raise source.refuse(keys, "must hold API names (letters, digits and _)")
    return tuple(values)


def _text(hint: Any, value: str, source: TomlSource, keys: tuple[str, ...], owner: type) -> object:  # noqa: ANN401
    if isinstance(hint, types.UnionType):
        hint = next(option for option in typing.get_args(hint) if option is not type(None))
    if hint is SecretRef:
        return secret_ref(value, lambda why, how: source.refuse(keys, why, how))
    if issubclass(hint, StrEnum):
        return _word(hint, value, source, keys)
    rule = _TEXTS.get(keys[-1]) if owner is not FixSettings else None
    if owner is FieldMapping or (rule is None and _is_api_name(owner, keys[-1])):
        rule = _API_NAME.fullmatch, "must be an API name (letters, digits and _)"
    if rule is not None and not rule[0](value):
        raise source.refuse(keys, rule[1] if value else "must not be empty")
    return value


def _is_api_name(owner: type, key: str) -> bool:
    learned = owner is ButtonMethod  # checked as a whole: `stored_problem`
    return owner in METHODS.values() and not learned and key not in _FREE_TEXTS


def _word(kind: type[E], value: str, source: TomlSource, keys: tuple[str, ...]) -> E:
    for option in kind:
        if option.value.casefold() == value.casefold():
            return option
    raise source.refuse(keys, f"must be one of {', '.join(kind)}, not '{one_line(value)[:40]}'")


def secret_ref(value: str, refuse: Callable[[str, str], BadInputError]) -> SecretRef:
    """Read `env:NAME`, `file:PATH` or `keyring:SERVICE/USER`. The refusal never repeats the value."""
    kind, _, where = value.partition(":")
    forms = {"env": r"[A-Za-z_][A-Za-z0-9_]*", "file": r".+", "keyring": r"[^/]+/.+"}
    if kind not in forms or not re.fullmatch(forms[kind], where):
        raise refuse(
            "must say where the secret is kept, not the secret itself",
            "Write env:NAME, file:PATH or keyring:SERVICE/USER",
        )
    return SecretRef(kind, where)


def stored_problem(method: ButtonMethod) -> tuple[str, str] | None:
    """Which key of a learned button is not what it has to be, and why; None where all is well."""
    for key in ("class_name", "method"):
        if not re.fullmatch(r"[A-Za-z]\w{0,79}", getattr(method, key), re.ASCII):
            return key, "must be a name of Apex"
    if not re.fullmatch(r"(?:[A-Za-z](?:_?[A-Za-z0-9]){0,14})?", method.namespace, re.ASCII):
        return "namespace", "must be the namespace of a package, such as s_c"
    if method.style not in {"lwc", "aura", "rest"}:
        return "style", "must be lwc, aura or rest"
    if method.calling and not re.fullmatch(r"markup://\w{1,31}:\w{1,80}", method.calling, re.ASCII):
        return "calling", "must look like markup://s_c:component"
    if method.ids not in set(IdField):
        return "ids", f"must be one of {', '.join(IdField)}"
    if method.length not in {15, 18, 36}:
        return "length", "must be 15 or 18 (36 for StoreConnect IDs)"
    try:
        template = json.loads(method.params)
        check(template)
    except (ValueError, RecursionError) as problem:
        why = "it is not JSON" if isinstance(problem, json.JSONDecodeError | RecursionError) else str(problem)
        return "params", f"is not a template of a call: {why}"
    return None if isinstance(template, dict) else ("params", "must be a JSON object")


LARGEST = 256_000
"""Bytes of a profile."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,99}")


def valid_name(name: str) -> bool:
    """True where a profile may carry this name: it becomes a file name."""
    return _NAME.fullmatch(name) is not None


def profile_names(folder: Path) -> tuple[str, ...]:
    """The configured orgs, sorted. A folder that is not there holds none."""
    try:
        # Not `glob`: it takes a folder that may not be read for an empty one.
        names = os.listdir(folder)  # noqa: PTH208
    except FileNotFoundError:
        return ()
    except OSError as problem:
        raise MachineError(f"The folder {folder} cannot be read", one_line(problem.strerror or "")) from None
    stems = (name.removesuffix(".toml") for name in names if name.endswith(".toml"))
    return tuple(sorted(filter(valid_name, stems)))


def path_of(folder: Path, name: str) -> Path:
    """Where the profile of that name is kept.

    Raises:
        BadInputError: The name cannot be a file name.
    """
    if not valid_name(name):
        raise BadInputError(
            f"'{one_line(name)}' cannot be a profile's name",
            "Use letters, digits and . _ - @ + (at most 100)",
        )
    return folder / f"{name}.toml"


def read_profile(folder: Path, name: str) -> OrgProfile | None:
    """The profile of that name, or None where there is no such file.

    Raises:
        BadInputError: The file cannot be read or says something that a profile cannot say.
    """
    source = TomlSource.read(path_of(folder, name), LARGEST)
    return profile_of(source.tables(), source, name) if source is not None else None


def write_profile(folder: Path, profile: OrgProfile, *, replace: bool = False) -> Path:
    """Write a profile, mode 0600, whole or not at all. A replaced file stays beside it as `.toml.old`.

    Raises:
        BadInputError: There is a file already and `replace` is not set.
        MachineError: The disk or the folder refuses.
    """
    source = TomlSource(path_of(folder, profile.name), text_of(profile))
    assert profile_of(source.tables(), source, profile.name) == profile
    _put(source, replace=replace)
    return source.path


def add_done_values(folder: Path, name: str, values: Sequence[str]) -> None:
    """Add status values that mean done to a profile; the rest of the file stays as it is.

    Raises:
        BadInputError: There is no such profile, it maps nothing, or a value means something else in it.
        MachineError: The disk or the folder refuses.
    """
    source = TomlSource.read(path_of(folder, name), LARGEST)
    profile = profile_of(source.tables(), source, name) if source is not None else None
    if source is None or profile is None or profile.mapping is None:
        raise BadInputError(f"The profile {name} maps no names yet", "Run 'syncerr-tui setup' first")
    mapping = profile.mapping
    for value in values:
        if value in {*mapping.failed, *mapping.pending}:
            raise BadInputError(
                f"'{one_line(value)[:40]}' means something else in the profile {name}",
                "Take it out of failed or pending in its [mapping] first",
            )
    done = tuple(dict.fromkeys((*mapping.done, *values)))
    changed = dataclasses.replace(profile, mapping=dataclasses.replace(mapping, done=done))

    def add(document: tomlkit.TOMLDocument) -> None:
        document["mapping"].setdefault("done", []).extend(done[len(mapping.done) :])

    after = source.edited(add)
    if after is None or profile_of(after.tables(), after, name) != changed:
        raise BadInputError(
            f"{source.path} is written in a way that cannot be added to",
            f"Add done = [{', '.join(repr(one) for one in done)}] to its [mapping] by hand",
        )
    _put(after, replace=True)


def _put(source: TomlSource, *, replace: bool) -> None:
    path = source.path
    again = "Edit it, choose another name, or add --replace to set up the org again"
    with writing(path, "Nothing was changed", taken=again):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if replace:
            replace_file(path, source.text, durable=True, backup=path.with_suffix(".toml.old"))
        else:
            create_file(path, source.text, durable=True)
