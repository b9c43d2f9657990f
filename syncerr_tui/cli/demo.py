"""`syncerr-tui demo`: the app on the embedded demo org, or the demo org alone, served for other clients."""

from __future__ import annotations

import json
import signal
import threading
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from syncerr_tui.cli._console import emit, emit_json, say, say_json
from syncerr_tui.errors import BadInputError, ExitCode, SyncErrError

if TYPE_CHECKING:
    from syncerr_tui.demo.options import DemoOptions
    from syncerr_tui.demo.server import DemoServer

_SERVE_ONLY = {
    "as_json": "--json",
    "port": "--port",
    "show_credentials": "--show-credentials",
    "jwt_certificate": "--jwt-certificate",
    "token_lifetime": "--token-lifetime",
}

_LARGEST_CERTIFICATE = 64 * 1024


@click.command()
@click.option("--serve", is_flag=True, help="Only serve the org over HTTP on 127.0.0.1, until interrupted.")
@click.option("--json", "as_json", is_flag=True, help="With --serve: URL and token as one JSON line.")
@click.option(
    "--port",
    metavar="N",
    type=click.IntRange(0, 65_535),
    help="With --serve: the port; 0 picks a free one [0].",
)
@click.option("--errors", metavar="N", type=click.IntRange(0, 100_000), help="How many sync errors [140].")
@click.option("--seed", metavar="N", type=int, help="Same seed, same org [1].")
@click.option(
    "--latency", metavar="SECONDS", type=click.FloatRange(0, 600), help="Seconds added to every answer [0]."
)
@click.option(
    "--processing-delay",
    metavar="SECONDS",
    type=click.FloatRange(0, 3_600),
    help="Seconds until a re-sync is worked on [2].",
)
@click.option(
    "--page-size", metavar="N", type=click.IntRange(1, 2_000), help="Rows in a page of a query [2000]."
)
@click.option(
    "--db", type=click.Path(dir_okay=False, path_type=Path), help="Keep the org's state in this file."
)
@click.option(
    "--fault",
    "faults",
    multiple=True,
    metavar="NAME[:VALUE][:WHERE][:COUNT]",
    help="Trouble on purpose; may be repeated. The name 'help' lists what there is.",
)
@click.option("--naming", metavar="NAME", help="Which set of names the change event object has [assumed].")
@click.option(
    "--har",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write a recording of this org's Re-sync button to a new file, as a browser exports it.",
)
@click.option("--read-only", is_flag=True, help="Open the app read-only: nothing can change the org.")
@click.option(
    "--show-credentials",
    is_flag=True,
    help="With --serve: the demo's user, connected app and JWT key, as one JSON line on stderr.",
)
@click.option(
    "--jwt-certificate",
    type=click.Path(dir_okay=False, path_type=Path),
    help="With --serve: PEM that JWT logins are checked against.",
)
@click.option(
    "--token-lifetime",
    metavar="SECONDS",
    type=click.FloatRange(0, min_open=True),
    help="With --serve: seconds a token from a login is good for.",
)
def command(*, serve: bool, har: Path | None, read_only: bool, **options: Any) -> int:  # noqa: ANN401 - the options above
    """Open the app on the embedded demo org: no account, no network, nothing to set up.

    With --serve the org runs alone on a loopback port, for any Salesforce client. Its field names for the
    change event object are assumptions; nothing in it is real.
    """
    if "help" in options["faults"]:
        return _list_faults()
    serving = {name: options.pop(name) for name in _SERVE_ONLY}
    settings = {name: value for name, value in options.items() if value is not None}
    _check(settings)
    if serve:
        return _serve(serving, settings, har)
    for name, option in _SERVE_ONLY.items():
        if serving[name] not in {None, False}:
            raise BadInputError(f"{option} belongs to --serve", "Add --serve, or leave it out")
    if har is not None:
        return _record(har, settings)
    from syncerr_tui.demo.options import DemoOptions

    return launch_demo(DemoOptions(**settings), read_only=read_only)


def launch_demo(options: DemoOptions, *, read_only: bool = False, welcome: str = "") -> int:
    """Open the app on the embedded demo org, which is started after the first frame.

    Who leaves it for the guided set-up goes on in the org of their own, or comes back to the same demo.
    """
    from syncerr_tui.cli._connect import EmbeddedOrg
    from syncerr_tui.ui.context import WANTS_SETUP
    from syncerr_tui.ui.launch import launch, launch_org

    demo = EmbeddedOrg(options)
    try:
        while True:
            ended = launch(demo.connect, org="demo org", read_only=read_only, welcome=welcome)
            if ended != WANTS_SETUP:
                return ended
            name, welcome = _set_up()
            if name:
                break
    finally:
        demo.close()
    return launch_org(name, read_only=read_only)


def _set_up() -> tuple[str, str]:
    """The name of the new org; where there is none, why not."""
    from syncerr_tui.cli.setup import run_setup

    try:
        return run_setup(), ""
    except (KeyboardInterrupt, click.Abort):
        return "", "Nothing was set up: this is the demo again, as you left it."
    except SyncErrError as error:
        return "", f"Nothing was set up. {error.line}"


def _list_faults() -> int:
    from syncerr_tui.demo.faults import ENGINE_FAULTS, FAULTS

    for name, kind in FAULTS.items():
        emit(f"{name:18} {kind.help}{f' [{kind.value}]' if kind.value else ''}")
    for name, kind in ENGINE_FAULTS.items():
        emit(f"{name:18} {kind.help}")
    return ExitCode.OK


def _check(settings: dict[str, Any]) -> None:
    """Refuse an unknown fault or naming before anything is started; without them nothing is imported."""
    if settings["faults"]:
        from syncerr_tui.demo.faults import transport_faults

        transport_faults(settings["faults"])
    if "naming" in settings:
        from syncerr_tui.demo.schema_variants import variant_named

        variant_named(settings["naming"])


def _record(path: Path, settings: dict[str, Any]) -> int:
    from syncerr_tui.demo.options import DemoOptions
    from syncerr_tui.demo.server import DemoServer

    server = DemoServer(DemoOptions(**settings))
    try:
        _write_new(path, server.recording())
    finally:
        server.close()
    say(f"Wrote a recording of the Re-sync button, with two rows ticked, to {path}.")
    return ExitCode.OK


def _write_new(path: Path, content: object) -> None:
    from syncerr_tui.files import create_file, writing

    with writing(path, "Name a file in a folder of yours", taken="Name a new file"):
        create_file(path, json.dumps(content, indent=1))


def _serve(serving: dict[str, Any], settings: dict[str, Any], har: Path | None) -> int:
    from syncerr_tui.demo.oauth import Credentials
    from syncerr_tui.demo.options import DemoOptions
    from syncerr_tui.demo.server import DemoServer

    enough = threading.Event()
    signals = [each for each in signal.Signals if each.name in {"SIGINT", "SIGTERM", "SIGHUP"}]
    before = [signal.signal(each, lambda _number, _frame: enough.set()) for each in signals]
    try:
        credentials = Credentials(jwt_certificate=_certificate(serving["jwt_certificate"]))
        options = DemoOptions(**settings, port=serving["port"] or 0)
        with DemoServer(options, credentials=credentials, token_lifetime=serving["token_lifetime"]) as server:
            if har is not None:
                _write_new(har, server.recording(server.instance_url))
            if serving["show_credentials"]:
                say_json(_credentials(server))
            _announce(server, as_json=serving["as_json"])
            enough.wait()
    finally:
        for each, handler in zip(signals, before, strict=True):
            signal.signal(each, handler)
    return ExitCode.OK


def _certificate(path: Path | None) -> str | None:
    if path is None:
        return None
    from syncerr_tui.files import read_plain, reading

    with reading(f"The certificate {path}", "Name a PEM file"):
        # Whatever is not ASCII is no PEM either.
        text = read_plain(path, _LARGEST_CERTIFICATE).decode("ascii", "replace")
    from syncerr_tui.demo.oauth import check_certificate

    check_certificate(text, str(path))
    return text


def _credentials(server: DemoServer) -> dict[str, object]:
    shown: dict[str, object] = asdict(server.credentials)
    if shown.pop("jwt_certificate") is None:
        shown["jwt_private_key"] = server.oauth.jwt_pair()[0]
    return shown


def _announce(server: DemoServer, *, as_json: bool) -> None:
    url, token = server.instance_url, server.access_token
    if as_json:
        emit_json({"instance_url": url, "access_token": token})
    else:
        emit(f"The demo org runs at {url}", f"Access token: {token}")
        say("Its change event field names are assumptions. Interrupt to stop.")
