"""The options that say which org a command is for: `--org NAME`, or `--demo` and its settings."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from syncerr_tui.errors import BadInputError, SyncErrError
from syncerr_tui.text import one_line

if TYPE_CHECKING:
    from syncerr_tui.demo.options import DemoOptions

Command = TypeVar("Command", bound=Callable[..., Any])
Option = Callable[[Any], Any]
"""A decorator of click's."""


@dataclass(frozen=True, slots=True)
class OrgChoice:
    """Which org, and whether it may be changed. Exactly one of `org`, `demo` and `snapshot` is set."""

    org: str | None
    """A profile's name, or an alias or username that the `sf` CLI knows."""
    demo: DemoOptions | None
    read_only: bool
    snapshot: Path | None = None
    """A file that `snapshot` has written, in place of an org. Always read-only."""
    reason_required: bool = False
    """Its profile wants a reason for every re-sync."""


def complete_org(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Org names for the shell's completion. What cannot be read completes nothing, and says nothing."""
    from syncerr_tui.salesforce.auth.sf_cli import known_orgs
    from syncerr_tui.salesforce.profile_files import profile_names

    try:
        names = (*profile_names(profile_folder()), *known_orgs(Path.home()))
    except (SyncErrError, OSError, RuntimeError):
        return []
    return [name for name in dict.fromkeys(names) if name.startswith(incomplete) and one_line(name) == name]


def packed(into: str, pack: Callable[..., object], **options: Option) -> Callable[[Command], Command]:
    """Decorate a click command's function: what these options give reaches it as one argument.

    Args:
        into: The argument.
        pack: Makes it of what the options give, by their names.
        options: Name -> the option, in the order in which the help shows them.
    """

    def decorate(command: Command) -> Command:
        @functools.wraps(command)
        def wrapped(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - click's own signature
            kwargs[into] = pack(**{name: kwargs.pop(name) for name in options})
            return command(*args, **kwargs)

        decorated: Any = wrapped
        for option in reversed(options.values()):
            decorated = option(decorated)
        return decorated  # type: ignore[no-any-return]

    return decorate


_SETTINGS: Mapping[str, Option] = {
    "org": click.option(
        "--org",
        metavar="NAME",
        shell_complete=complete_org,
        help="Profile written by 'syncerr-tui setup', or an alias of the sf CLI.",
    ),
    "demo": click.option(
        "--demo",
        is_flag=True,
        help="Use the embedded demo org: no account, no network; with the settings of 'demo'.",
    ),
    "snapshot": click.option(
        "--snapshot",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="FILE",
        help="Read a file that 'syncerr-tui snapshot' wrote, in place of an org.",
    ),
    # Told in the help of `demo` alone: in every command they would be half of it.
    "errors": click.option("--errors", type=click.IntRange(0, 100_000), hidden=True),
    "seed": click.option("--seed", type=int, hidden=True),
    "latency": click.option("--latency", type=click.FloatRange(0, 600), hidden=True),
    "processing_delay": click.option("--processing-delay", type=click.FloatRange(0, 3600), hidden=True),
    "page_size": click.option("--page-size", type=click.IntRange(1, 2000), hidden=True),
    "db": click.option("--db", type=click.Path(dir_okay=False, path_type=Path), hidden=True),
    "fault": click.option("--fault", multiple=True, hidden=True),
    "naming": click.option("--naming", hidden=True),
    "read_only": click.option(
        "--read-only", is_flag=True, help="Read-only: nothing here can change the org."
    ),
}


@dataclass(frozen=True, slots=True)
class LaterChoice:
    """The org for a command that works without one too."""

    settings: Mapping[str, Any]

    @property
    def is_set(self) -> bool:
        """Whether the command line names an org."""
        return any(self.settings[name] for name in ("org", "demo", "snapshot"))

    def __call__(self) -> OrgChoice:
        """Decide what the options mean together. Raises what `choice_of` raises."""
        return choice_of(**self.settings)


def choice_of(
    *,
    org: str | None,
    demo: bool,
    read_only: bool,
    snapshot: Path | None = None,
    **settings: Any,  # noqa: ANN401
) -> OrgChoice:
    """Decide what the options mean together.

    Raises:
        BadInputError: They contradict each other, or no org is named and none can be chosen for the person.
    """
    settings_named = {name: value for name, value in settings.items() if value not in {None, ()}}
    if settings_named and not demo:
        raise BadInputError(
            f"--{next(iter(settings_named)).replace('_', '-')} is a setting of the demo org",
            "Add --demo, or leave it out",
        )
    if snapshot is not None:
        if org is not None or demo:
            raise BadInputError("--snapshot stands in place of an org", "Leave --org and --demo out")
        return OrgChoice(None, None, read_only=True, snapshot=snapshot)
    if org is not None and demo:
        raise BadInputError("--org and --demo name two different orgs", "Give one of them")
    if demo:
        return OrgChoice(None, demo_options(**settings_named), read_only)
    from syncerr_tui.salesforce.profile_files import read_profile, valid_name

    org = org if org is not None else _the_one_org()
    profile = read_profile(profile_folder(), org) if valid_name(org) else None
    if profile is None:
        return OrgChoice(org, None, read_only)
    # No flag gives back what the profile takes away.
    return OrgChoice(org, None, read_only or profile.read_only, reason_required=profile.reason_required)


org_options = packed("choice", choice_of, **_SETTINGS)
"""Adds the options that name an org; the command gets `choice: OrgChoice`."""
later_org_options = packed("choose", lambda **settings: LaterChoice(settings), **_SETTINGS)
"""The same for a command that works without an org too: it gets `choose: LaterChoice`."""


def demo_options(**options: Any) -> DemoOptions:  # noqa: ANN401 - the values of DemoOptions' own fields
    """The demo org's settings, its own defaults where nothing was given."""
    from syncerr_tui.demo.options import DemoOptions

    if "fault" in options:
        options["faults"] = tuple(options.pop("fault"))
    return DemoOptions(**options)


def profile_folder() -> Path:
    from syncerr_tui.host.paths import Paths

    return Paths.of().config / "orgs"


def configured_orgs() -> tuple[str, ...]:
    """The orgs that can be named without asking anybody: what the environment holds comes first."""
    from syncerr_tui.salesforce.auth import ENVIRONMENT
    from syncerr_tui.salesforce.auth.environment import has_login
    from syncerr_tui.salesforce.profile_files import profile_names

    if has_login(os.environ):
        return (ENVIRONMENT,)
    return profile_names(profile_folder())


def _the_one_org() -> str:
    names = configured_orgs()
    if len(names) == 1:
        return names[0]
    if not names:
        raise BadInputError(
            "No org is configured", "Run 'syncerr-tui setup' to add one, or add --demo to use the demo org"
        )
    raise BadInputError("Several orgs are configured", f"Name one with --org: {', '.join(names)}")
