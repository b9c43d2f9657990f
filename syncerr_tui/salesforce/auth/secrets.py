"""Where secrets come from: the environment, a file that only its owner can read, or the system's keyring."""

from __future__ import annotations

import dataclasses
import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from syncerr_tui.errors import BadInputError, MachineError, NotLoggedInError
from syncerr_tui.files import open_plain, reading, replace_file
from syncerr_tui.salesforce.auth.environment import TOKEN
from syncerr_tui.salesforce.profiles import OrgProfile, SecretRef

_LARGEST = 64 * 1024
"""Bytes. No key or token is longer; a longer file is not what was meant."""


@dataclass(frozen=True, slots=True)
class Secrets:
    """Reads secrets. Says where it looked, and never what it found."""

    environ: Mapping[str, str] = field(repr=False)

    def get(self, place: SecretRef, what: str) -> str:
        """The secret that is kept there; `what` names it in errors ("the client secret").

        Raises:
            NotLoggedInError: There is none.
            BadInputError: The file cannot be read, or others can read it too.
        """
        match place.kind:
            case "env":
                secret = self.environ.get(place.where, "")
                nowhere = f"the environment variable {place.where} is not set"
            case "file":
                secret = private_text(Path(place.where), what)
                nowhere = f"the file {place.where} is empty"
            case _:
                secret = _from_keyring(place)
                nowhere = f"the keyring has nothing under {place.where}"
        secret = secret.strip()
        if not secret:
            raise NotLoggedInError(
                f"There is no {what}: {nowhere}", "Put it there, or run 'syncerr-tui setup'"
            )
        return secret

    def put(self, place: SecretRef, secret: str) -> bool:
        """Keep a secret that replaced the one there; False where that place cannot be written."""
        if place.kind == "file":
            return _rewrite(_home(Path(place.where)), secret)
        if place.kind == "keyring":
            import keyring
            from keyring.errors import KeyringError

            service, _, user = place.where.partition("/")
            try:
                keyring.set_password(service, user, secret)
            except KeyringError:
                return False
            return True
        return False


def journal_password(profile: OrgProfile, environ: Mapping[str, str]) -> Callable[[], str] | None:
    """Asks for the password of the journal's database; None where the profile names none."""
    place = profile.journal_password
    return None if place is None else lambda: Secrets(environ).get(place, "journal password")


def environ_without_secrets(environ: Mapping[str, str], profile: OrgProfile | None) -> dict[str, str]:
    """The environment as a command of the user's gets to see it: nothing in it holds a login's secret."""
    auth = profile.way if profile is not None else None
    values = [getattr(auth, part.name) for part in dataclasses.fields(auth)] if auth is not None else []
    secrets = {TOKEN, *(one.where for one in values if isinstance(one, SecretRef))}
    return {name: value for name, value in environ.items() if name not in secrets}


def _home(path: Path) -> Path:
    """With `~` filled in; as it is where that is a user nobody knows, so that the file is not found."""
    return Path(os.path.expanduser(path))  # noqa: PTH111 - pathlib's own raises


def private_text(path: Path, what: str) -> str:
    """The text of a file that only its owner may read.

    Raises:
        BadInputError: It cannot be read, is not a plain file, or others can read it.
    """
    path = _home(path)
    try:
        with reading(f"The {what} in {path}"), os.fdopen(open_plain(path), "rb") as file:
            _check_private(path, os.fstat(file.fileno()), what)
            return file.read(_LARGEST).decode("utf-8")
    except UnicodeDecodeError:
        raise BadInputError(f"{path} is not a text file", f"Name the file that holds the {what}") from None


def _check_private(path: Path, status: os.stat_result, what: str) -> None:
    if os.name != "posix":
        return
    if status.st_mode & 0o077:
        raise BadInputError(
            f"The {what} in {path} can be read by others (mode {stat.S_IMODE(status.st_mode):04o})",
            f"Run 'chmod 600 {path}'",
        )
    if status.st_uid not in {os.geteuid(), 0}:
        raise BadInputError(f"The {what} in {path} belongs to another user", "Use a file of your own")


def _from_keyring(place: SecretRef) -> str:
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError:
        raise BadInputError(
            f"The keyring that should hold {place} is not installed",
            "Install it: pip install 'syncerr-tui[keyring]'",
        ) from None
    service, _, user = place.where.partition("/")
    try:
        return keyring.get_password(service, user) or ""
    except KeyringError as problem:
        raise MachineError(
            f"The system's keyring cannot be opened ({type(problem).__name__})",
            "Unlock it, or keep the secret in a file of mode 0600",
        ) from None


def _rewrite(path: Path, secret: str) -> bool:
    try:
        replace_file(path, f"{secret}\n", durable=True)
    except OSError:
        return False
    return True
