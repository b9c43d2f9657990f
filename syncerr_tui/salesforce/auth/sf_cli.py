"""The login that Salesforce's own CLI keeps: asked for anew each time, never read out of its files.

What each version of the CLI answers was measured with 2.135.7 and 2.146.3: from 2.136.8 on, `org display`
hides the token and `org auth show-access-token` shows it; before that, the second command does not exist.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from syncerr_tui.errors import BadInputError, MachineError, NotLoggedInError, SyncErrError, UnreachableError
from syncerr_tui.files import read_plain
from syncerr_tui.salesforce.auth.environment import access_token, instance_url
from syncerr_tui.salesforce.concurrency import Token
from syncerr_tui.text import one_line

TIMEOUT = 60.0
"""Seconds for one command: a start of Node costs about 1.3 s, the rest is the CLI's own call to the org."""
QUIET: Mapping[str, str] = {
    "SF_DISABLE_TELEMETRY": "true",
    "SF_AUTOUPDATE_DISABLE": "true",
    "SF_SKIP_NEW_VERSION_CHECK": "true",
    "NO_COLOR": "1",
}
_SECRET = re.compile(r"00D\w{9,15}!\S*|\beyJ[\w.-]+")
_LARGEST_FILE = 10_000_000
"""Bytes of one of the CLI's files; a thousand aliases take 100,000."""
_NO_SUCH_COMMAND = 127


def login_command(org: str) -> str:
    """What a person types to log in again."""
    return f"sf org login web --alias {org}" if org and "@" not in org else "sf org login web"


@dataclass(frozen=True, slots=True)
class _CommandOutput:
    """What one command of the CLI said."""

    status: int
    answer: Mapping[str, Any] | None = field(repr=False)
    """Its JSON, where there was any."""
    complaint: str
    """The line of stderr that tells most."""

    @property
    def result(self) -> Mapping[str, Any]:
        result = (self.answer or {}).get("result")
        return result if isinstance(result, dict) else {}

    @property
    def warnings(self) -> str:
        warnings = (self.answer or {}).get("warnings")
        return " ".join(str(line) for line in warnings) if isinstance(warnings, list) else ""


class SfCli:
    """Asks the CLI for one org's address and token.

    Args:
        org: Alias or username; empty for the CLI's default org.
        environ: The environment; what is ours and secret in it is not passed on.
        timeout: Seconds for one command.
    """

    def __init__(self, org: str, environ: Mapping[str, str], *, timeout: float = TIMEOUT) -> None:
        self._org = org
        self._environ = environ
        self._timeout = timeout

    def login(self) -> Token:
        """The token that the CLI has now; the CLI refreshes it itself where it can.

        Raises:
            NotLoggedInError: The CLI is missing, knows no such org, or its session is dead.
            UnreachableError: It did not answer in time.
            MachineError: It crashed.
        """
        if self._org.startswith("-"):
            raise BadInputError(f"'{one_line(self._org)}' cannot be an org", "Name an alias or a username")
        shown = self._run("org", "display")
        result = self._checked(shown)
        status = str(result.get("connectedStatus") or "")
        if re.search(r"expired|invalid|refresh|auth", status, re.IGNORECASE):
            raise self._expired()
        url = instance_url(str(result.get("instanceUrl") or ""), "The address that the sf CLI names")
        return Token(url, self._token(result))

    def _token(self, shown: Mapping[str, Any]) -> str:
        answer = self._run("org", "auth", "show-access-token")
        if answer.status == _NO_SUCH_COMMAND or (answer.answer or {}).get("name") == "CommandNotFoundError":
            token = str(shown.get("accessToken") or "")
            if not token or token.startswith("[REDACTED]"):
                raise NotLoggedInError(
                    "This version of the sf CLI does not give its token", "Run 'sf update'"
                )
            return access_token(token, "The sf CLI's token")
        token = str(self._checked(answer).get("accessToken") or "")
        if re.search(r"unable to refresh|stale", answer.warnings, re.IGNORECASE):
            raise self._expired()
        if not token:
            raise self._expired()
        return access_token(token, "The sf CLI's token")

    def _checked(self, answer: _CommandOutput) -> Mapping[str, Any]:
        if answer.answer is None:
            raise MachineError(
                f"The sf CLI failed: {answer.complaint or f'exit code {answer.status}, no answer'}",
                "Run 'sf --version': it must work by itself, and needs Node 22.19 or newer",
            )
        if answer.status == 0 and answer.answer.get("status", 0) == 0 and answer.result:
            return answer.result
        raise self._refusal(str(answer.answer.get("name") or ""), str(answer.answer.get("message") or ""))

    def _refusal(self, name: str, message: str) -> SyncErrError:
        if name == "NoDefaultEnvError":
            return NotLoggedInError(
                "The sf CLI has no default org",
                "Name one with --org ALIAS, or run: sf config set target-org ALIAS",
            )
        if name == "NamedOrgNotFoundError":
            known = ", ".join(known_orgs(Path(self._environ.get("HOME") or Path.home()))[:5])
            return NotLoggedInError(
                f"The sf CLI knows no org '{one_line(self._org)}'",
                f"Run '{login_command(self._org)}'" + (f", or use one of: {known}" if known else ""),
            )
        if re.search(r"expired|refresh|invalid_grant|auth", f"{name} {message}", re.IGNORECASE):
            return self._expired()
        reason = _harmless(message or name or "no reason given")
        return NotLoggedInError(f"The sf CLI refused: {reason}", f"Run '{login_command(self._org)}'")

    def _expired(self) -> NotLoggedInError:
        named = f" for {one_line(self._org)}" if self._org else ""
        return NotLoggedInError(
            f"The login of the sf CLI{named} has expired", f"Run '{login_command(self._org)}', then try again"
        )

    def _run(self, *words: str) -> _CommandOutput:
        program = shutil.which("sf", path=self._environ.get("PATH"))
        if program is None:
            raise NotLoggedInError(
                "The Salesforce CLI (sf) is not on the PATH",
                "Install it (npm install --global @salesforce/cli), or choose another way to log in with "
                "'syncerr-tui setup'",
            )
        org = ("--target-org", self._org) if self._org else ()
        environ = {key: value for key, value in self._environ.items() if not key.startswith("SYNCERR_")}
        return _ask((program, *words, *org, "--json"), {**environ, **QUIET}, self._timeout)


def _ask(command: Sequence[str], environ: Mapping[str, str], timeout: float) -> _CommandOutput:
    try:
        process = subprocess.Popen(  # noqa: S603 - no shell; the org cannot be an option
            command,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,  # what the CLI starts itself must end with it
        )
    except OSError as problem:
        why = one_line(problem.strerror or type(problem).__name__)
        raise MachineError(f"The sf CLI cannot be started: {why}", "Run 'sf --version'") from None
    try:
        out, err = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        raise UnreachableError(
            f"The sf CLI did not answer within {timeout:g} s",
            "Check the network, and run 'sf org display' by hand",
        ) from None
    finally:
        if process.poll() is None:
            _end(process)
    return _CommandOutput(process.returncode, _json(out), _complaint(err.decode("utf-8", "replace")))


def _end(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()
    process.wait()


def _json(out: bytes) -> Mapping[str, Any] | None:
    try:
        answer = json.loads(out.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None
    return answer if isinstance(answer, dict) else None


def _complaint(err: str) -> str:
    lines = [line.strip() for line in err.splitlines() if line.strip()]
    message = next((line for line in lines if re.search(r"\b\w*Error\b", line)), lines[0] if lines else "")
    return _harmless(message)


def _harmless(text: str) -> str:
    return _SECRET.sub("[token]", one_line(text.strip().splitlines()[0] if text.strip() else ""))[:200]


def known_orgs(home: Path) -> tuple[str, ...]:
    """Aliases that the CLI keeps, its default org first. Read from its files: asking it costs a second.

    Never raises: files that cannot be read name no org.
    """
    aliases = _read(home / ".sfdx" / "alias.json").get("orgs")
    default = _read(home / ".sf" / "config.json").get("target-org")
    names = sorted(aliases) if isinstance(aliases, dict) else []
    first = [str(default)] if isinstance(default, str) else []
    return tuple(dict.fromkeys([*first, *(str(name) for name in names)]))


def _read(path: Path) -> Mapping[str, Any]:
    try:
        return _json(read_plain(path, _LARGEST_FILE)) or {}
    except OSError:
        return {}
