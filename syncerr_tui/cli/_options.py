"""The options that say which org a command is for: `--org NAME`, or `--demo` and its settings."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from syncerr_tui.errors import BadInputError

if TYPE_CHECKING:
    from syncerr_tui.demo.options import DemoOptions

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class OrgChoice:
    """Which org, and whether it may be changed. Exactly one of `org` and `demo` is set."""

    org: str | None
    """A profile's name, or an alias or username that the `sf` CLI knows."""
    demo: DemoOptions | None
    read_only: bool


_DEMO_ONLY = {
    "errors": "--errors",
    "seed": "--seed",
    "latency": "--latency",
    "processing_delay": "--processing-delay",
    "page_size": "--page-size",
    "db": "--db",
    "fault": "--fault",
    "naming": "--naming",
}
_SETTINGS = (
    click.option(
        "--org",
        metavar="NAME",
        shell_complete=lambda ctx, param, incomplete: _complete(incomplete),
        help="Profile written by 'syncerr-tui setup', or an alias of the sf CLI.",
    ),
    click.option("--demo", is_flag=True, help="Use the embedded demo org: no account, no network."),
    click.option("--errors", type=click.IntRange(0, 5_000_000), help="Demo: about how many sync errors [140]."),
    click.option("--seed", type=int, help="Demo: same seed, same org [1]."),
    click.option("--latency", type=click.FloatRange(0, 600), help="Demo: seconds per answer [0]."),
    click.option(
        "--processing-delay",
        type=click.FloatRange(0, 3600),
        help="Demo: seconds until a re-sync is worked on [2].",
    ),
    click.option("--page-size", type=click.IntRange(1, 2000), help="Demo: rows in a page of a query [2000]."),
    click.option("--db", type=click.Path(dir_okay=False, path_type=Path), help="Demo: file that keeps its state."),
    click.option("--fault", multiple=True, metavar="NAME[:ARG]", help="Demo: a fault on the wire, repeatable."),
    click.option("--naming", metavar="NAME", help="Demo: which set of field names the org uses."),
    click.option("--read-only", is_flag=True, help="Take away everything that changes the org."),
)


def org_options(command: Command) -> Command:
    """Decorate a click command's function: it gets `choice: OrgChoice` instead of the single options."""

    @functools.wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - click's own signature
        names = ("org", "demo", "read_only", *_DEMO_ONLY)
        settings = {name: kwargs.pop(name) for name in names}
        return command(*args, choice=choice_of(**settings), **kwargs)

    decorated: Any = wrapped
    for option in reversed(_SETTINGS):
        decorated = option(decorated)
    return decorated  # type: ignore[no-any-return]


def choice_of(*, org: str | None, demo: bool, read_only: bool, **settings: Any) -> OrgChoice:  # noqa: ANN401
    """Decide what the options mean together.

    Raises:
        BadInputError: They contradict each other, or no org is named and none can be chosen for the person.
    """
    given = {name: value for name, value in settings.items() if value not in {None, ()}}
    if given and not demo:
        raise BadInputError(
            f"{_DEMO_ONLY[next(iter(given))]} is a setting of the demo org",
            "Add --demo, or leave it out",
        )
    if org is not None and demo:
        raise BadInputError("--org and --demo name two different orgs", "Give one of them")
    if demo:
        return OrgChoice(None, demo_options(**given), read_only)
    if org is not None:
        return OrgChoice(org, None, read_only)
    only = _the_only_profile()
    return OrgChoice(only, None, read_only)


def demo_options(**given: Any) -> DemoOptions:  # noqa: ANN401 - the values of DemoOptions' own fields
    """The demo org's settings, its own defaults where nothing was given."""
    from syncerr_tui.demo.options import DemoOptions

    if "fault" in given:
        given["faults"] = tuple(given.pop("fault"))
    return DemoOptions(**given)


def _the_only_profile() -> str:
    from syncerr_tui.salesforce.profile_files import profile_names

    names = profile_names()
    if len(names) == 1:
        return names[0]
    if not names:
        raise BadInputError(
            "No org is configured", "Run 'syncerr-tui setup' to add one, or add --demo to use the demo org"
        )
    raise BadInputError("Several orgs are configured", f"Name one with --org: {', '.join(names)}")


def _complete(incomplete: str) -> list[str]:
    from syncerr_tui.cli._completion import org_names

    return [name for name in org_names() if name.startswith(incomplete)]
