"""`syncerr-tui setup`: a short guided flow that ends with an org profile; or the same by flags."""

from __future__ import annotations

import asyncio
import dataclasses
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from syncerr_tui.cli._choosing import concurrency_option, proof_timeout_option
from syncerr_tui.cli._console import Asker, as_json, emit_json, heading, json_option, say
from syncerr_tui.cli._options import profile_folder
from syncerr_tui.errors import BadInputError, ExitCode, RefusedError
from syncerr_tui.salesforce.profiles import AUTH_METHODS, METHODS, FixSettings, questions
from syncerr_tui.text import one_line

if TYPE_CHECKING:
    from syncerr_tui.files import TomlKeys
    from syncerr_tui.salesforce.button.har import Exchange
    from syncerr_tui.salesforce.client import ApiClient
    from syncerr_tui.salesforce.profiles import AuthMethod, FieldMapping, FixSettings, Method, OrgProfile

_WAYS = tuple((kind, way.summary) for kind, way in AUTH_METHODS.items())
_METHODS = tuple((kind, method.summary) for kind, method in METHODS.items())
_FIXES = (
    ("record", "correct a record: a bounce mark, an owner, a value that you type"),
    ("exemption", "let the sync user past a duplicate rule, or give it a bypass permission set for an hour"),
    ("setup", "add a missing value to a picklist"),
    ("safeguard", "switch off a rule, a Flow or a requirement until it is switched on again"),
)
_WARNING = (
    "StoreConnect says: read change events, and never write them.",
    "Writing this field may do something else than Re-sync, now or after an upgrade.",
    "Use it only where StoreConnect or your admin has confirmed that it works.",
)


@dataclass(frozen=True, slots=True)
class SetupFlags:
    """What the flags say already."""

    name: str | None = None
    way: str | None = None
    way_settings: tuple[str, ...] = ()
    object_name: str | None = None
    maps: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    pending: tuple[str, ...] = ()
    done: tuple[str, ...] = ()
    sync_user: str | None = None
    method: str | None = None
    method_settings: tuple[str, ...] = ()
    har: str | None = None
    namespace: str = "s_c"
    keep_ids: bool = False
    treatment: Mapping[str, object] = dataclasses.field(default_factory=dict)
    """Concurrency, batch size and the like, where given."""
    fix_allow: tuple[str, ...] = ()
    bypass_sets: tuple[str, ...] = ()
    replace: bool = False
    recorded: tuple[Exchange, ...] = ()
    """What is in the file `har`."""


@click.command()
@click.argument("name", required=False)
@click.option("--org", metavar="NAME", help="The same as NAME.")
@click.option("--way", type=click.Choice([kind for kind, _ in _WAYS]), help="How to log in [sf].")
@click.option(
    "--set",
    "way_settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="Setting of the way to log in; may be repeated.",
)
@click.option("--object", "object_name", metavar="API_NAME", help="The change event object.")
@click.option(
    "--map", "maps", multiple=True, metavar="ROLE=FIELD", help="A field of the mapping; '-' for none."
)
@click.option("--failed", multiple=True, metavar="VALUE", help="Status value that means failed.")
@click.option("--pending", multiple=True, metavar="VALUE", help="Status value that means being worked on.")
@click.option("--done", multiple=True, metavar="VALUE", help="Status value that means carried out.")
@click.option("--sync-user", metavar="ID", help="The user who writes the synced records; '-' for unknown.")
@click.option("--method", type=click.Choice([kind for kind, _ in _METHODS]), help="How to re-sync [guided].")
@click.option(
    "--method-set",
    "method_settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="Setting of the method; may be repeated.",
)
@click.option("--har", metavar="FILE", help="Recording of the Re-sync button, for --method button.")
@click.option("--namespace", default="s_c", metavar="NAME", help="Namespace of the package, for --har [s_c].")
@click.option("--keep-ids", is_flag=True, help="For --har: accept constants that look like ids.")
@concurrency_option("Most requests at once [4].")
@click.option("--batch-size", metavar="N", type=click.IntRange(1, 200), help="Most rows in one request [50].")
@proof_timeout_option("Seconds to wait for proof [180].")
@click.option(
    "--read-only", is_flag=True, default=None, help="Read-only: this tool never changes anything in this org."
)
@click.option("--reason-required", is_flag=True, default=None, help="Every re-sync needs a reason.")
@click.option(
    "--fix-allow",
    multiple=True,
    type=click.Choice([scope for scope, _ in _FIXES]),
    help="What 'fix' may change in this org [nothing].",
)
@click.option(
    "--bypass-set", "bypass_sets", multiple=True, metavar="NAME", help="A permission set that is a bypass."
)
@click.option("--replace", is_flag=True, help="Set up an org again; the old file is kept beside the new one.")
@click.option(
    "--yes",
    is_flag=True,
    help="Ask nothing: take the flags and the defaults, and fail where they are not enough.",
)
@json_option("At the end, name and path as one JSON line.")
def command(*, org: str | None, yes: bool, **options: Any) -> int:  # noqa: ANN401 - the options above
    """Connect an org: log in, look at what it calls things, choose how to re-sync, keep it as a profile.

    Nothing in the org is changed, and no secret is written: a profile only says where one is kept.
    """
    options["name"] = options["name"] or org
    treatment = {
        key: value
        for key in ("concurrency", "batch_size", "proof_timeout", "read_only", "reason_required")
        if (value := options.pop(key)) is not None
    }
    asker = Asker(asks=not yes)
    profile, path = asyncio.run(_setup(SetupFlags(**options, treatment=treatment), asker))
    if as_json():
        emit_json({"name": profile.name, "path": str(path)})
    say("", f"Written: {path}", f"Check it:  syncerr-tui doctor --org {profile.name}")
    say(f"Open it:   syncerr-tui --org {profile.name}")
    return ExitCode.OK


def run_setup() -> str:
    """The guided flow, for the app where no org is configured yet.

    Returns:
        The name of the new org.

    Raises:
        SyncErrError: Something did not work; nothing was written.
        click.Abort: The person left.
    """
    say("Connect an org. Enter takes the value in brackets; ctrl+c goes back to the demo.")
    profile, _ = asyncio.run(_setup(SetupFlags(), Asker()))
    return profile.name


async def _setup(flags: SetupFlags, asker: Asker) -> tuple[OrgProfile, Path]:
    from syncerr_tui.cli._setup_mapping import named_by_flags, settle
    from syncerr_tui.salesforce.auth import tokens_for
    from syncerr_tui.salesforce.connect import open_client
    from syncerr_tui.salesforce.identity import choose_version, identify
    from syncerr_tui.salesforce.profile_files import path_of, write_profile

    flags = _with_recording(flags)
    folder = profile_folder()
    table: dict[str, Any] = {"way": _auth(flags, asker)}
    name = flags.name or asker.text(
        "What do you call this org?", _name_for(table["way"]), "the name: setup NAME"
    )
    if path_of(folder, name).exists() and not flags.replace:
        raise BadInputError(f"There is a profile '{name}' already", "Choose another name, or add --replace")
    profile = dataclasses.replace(_profile(table, name), **flags.treatment)  # type: ignore[arg-type]
    say("", "Logging in ...")
    client = open_client(profile, tokens_for(profile.way))
    try:
        await choose_version(client)
        identity = await identify(client, name)
        say(f"You are {identity.username}", f"in {identity.environment} org {identity.org_id}")
        say(f"at {identity.instance_url}")
        named = named_by_flags(flags.object_name, flags.maps, flags.failed, flags.pending, flags.done)
        mapping = await settle(client, asker, named)
        await _may_read(client, mapping)
        table["sync_user"] = await _sync_user(flags, asker, client, mapping)
        table["method"] = await _method(flags, asker, client, mapping)
        profile = dataclasses.replace(
            _profile(table, name),
            **flags.treatment,  # type: ignore[arg-type]
            environment=identity.environment,
            org_id=identity.org_id,
            mapping=mapping,
        )
        profile = _treatment(flags, asker, profile)
    finally:
        await client.close()
    return profile, write_profile(folder, profile, replace=flags.replace)


def _with_recording(flags: SetupFlags) -> SetupFlags:
    """Read the recording first: what cannot be used is said before anybody logs in or answers questions."""
    if flags.har is None:
        return flags
    if flags.method not in {None, "button"}:
        raise BadInputError(
            f"--har is a recording of the button, and --method says {flags.method}", "Leave one of them out"
        )
    from syncerr_tui.cli.learn_button import read_har_file

    return dataclasses.replace(flags, method="button", recorded=tuple(read_har_file(flags.har)))


async def _may_read(client: ApiClient, mapping: FieldMapping) -> None:
    """Raises: RefusedError: This user gets no list, so that nothing of this tool would work."""
    from syncerr_tui.salesforce import soql

    try:
        await client.first_page(f"SELECT Id FROM {soql.name(mapping.object_name)} LIMIT 1")  # noqa: S608
    except RefusedError as error:
        raise RefusedError(f"The list of sync errors cannot be read: {error.title}", error.hint) from None


async def _sync_user(flags: SetupFlags, asker: Asker, client: ApiClient, mapping: FieldMapping) -> str:
    """The user who writes the synced records: named by a flag, or found and confirmed; empty for unknown."""
    from syncerr_tui.salesforce.identity import find_sync_user

    if flags.sync_user is not None:
        return "" if flags.sync_user == "-" else flags.sync_user
    likely = await find_sync_user(client, ("Account", "Contact", "Order"), mapping.record_key)
    if likely is None or not likely.clear:
        say("", "It is not clear which user writes the synced records: --sync-user ID names it.")
        return ""
    say("", f"Synced records are written by {likely.name} ({likely.id}):")
    say(f"{likely.share:.0%} of the newest {likely.records} were created by this user.")
    agreed = asker.agree("Does only a write by this user prove an outcome?", default=True)
    return likely.id if agreed else ""


def _auth(flags: SetupFlags, asker: Asker) -> dict[str, Any]:
    from syncerr_tui.salesforce.auth.environment import has_login

    kind = flags.way
    if kind is None:
        likely = "environment" if has_login(os.environ) else "sf"
        kind = asker.choose("How do you log in?", _WAYS, likely, "--way")
    if kind == "password":
        from syncerr_tui.salesforce.auth.oauth import SOAP_LOGIN_NOTE

        say(f"Note: {SOAP_LOGIN_NOTE}.")
    return {"kind": kind, **_settings(AUTH_METHODS[kind], flags.way_settings, asker, "--set")}


def _name_for(auth: Mapping[str, Any]) -> str:
    from syncerr_tui.salesforce.profile_files import valid_name

    likely = str(auth.get("org") or "")
    return likely if valid_name(likely) else "my-org"


def _settings(
    kind: type[AuthMethod | Method], pairs: Sequence[str], asker: Asker, flag: str
) -> dict[str, Any]:
    """The settings of a way or a method: by flags, the rest asked for. Checked when the profile is built."""
    settings: dict[str, Any] = {}
    for one in pairs:
        key, equals, value = one.partition("=")
        if not equals:
            raise BadInputError(f"{flag} takes KEY=VALUE", f"Keys: {', '.join(_keys(kind))}")
        if key not in _keys(kind):
            known = ", ".join(_keys(kind)) or "none"
            raise BadInputError(
                f"{flag} {one_line(key)[:40]}: {kind.kind!r} has no such setting", f"It has: {known}"
            )
        settings[key] = value
    asked = questions(kind)
    for field in dataclasses.fields(kind):
        if field.name in settings or field.name not in asked:
            continue
        required = field.default is dataclasses.MISSING
        default = None if required else str(field.default or "")
        question = asked[field.name]
        if flag == "--method-set":
            question = f"{question} ({kind.kind} method)"
        answer = asker.text(question, default, f"{flag} {field.name}=...")
        if answer or required:
            settings[field.name] = answer
    return settings


def _keys(kind: type[AuthMethod | Method]) -> list[str]:
    return [field.name for field in dataclasses.fields(kind)]


def _profile(table: Mapping[str, Any], name: str) -> OrgProfile:
    """Build and check a profile from answers, as if it had been read from a file."""
    from syncerr_tui.files import TomlSource
    from syncerr_tui.salesforce.profile_files import profile_of

    class Answers(TomlSource):
        def refuse(self, keys: TomlKeys, why: str, hint: str = "") -> BadInputError:
            return BadInputError(f"{'.'.join(map(str, keys))} {why}", hint or "Give another value")

    return profile_of(table, Answers(Path(), ""), name)


async def _method(
    flags: SetupFlags, asker: Asker, client: ApiClient, mapping: FieldMapping
) -> dict[str, Any]:
    from syncerr_tui.cli.learn_button import learn_method
    from syncerr_tui.salesforce.connect import method_for
    from syncerr_tui.salesforce.methods import CheckState

    kind = flags.method
    if kind == "button" or (kind is None and asker.asks):
        await _propose_entry_points(client)
    while True:
        chosen = kind or asker.choose("How should errors be re-synced?", _METHODS, "guided", "--method")
        if chosen in {"apex", "flow"} and asker.asks:
            await _offer_actions(client, chosen)
        if chosen == "button":
            table = await learn_method(
                flags.har,
                flags.recorded,
                asker,
                client,
                mapping,
                namespace=flags.namespace,
                keep_ids=flags.keep_ids,
            )
            chosen = str(table["kind"])
            if chosen == "field" and "accept_vendor_warning=true" in flags.method_settings:
                table["accept_vendor_warning"] = "true"
        else:
            settings = _settings(METHODS[chosen], flags.method_settings, asker, "--method-set")
            table = {"kind": chosen, **settings}
        if chosen == "field":
            _accept_warning(table, asker)
        checks = await method_for(_profile({"method": table}, "setup"), client, mapping).check()
        bad = [check for check in checks if check.state is CheckState.FAILED]
        if not bad:
            return table
        if kind is not None or not asker.asks:
            raise RefusedError(f"This method cannot work here: {bad[0].reason}", bad[0].advice)
        say("", f"This method cannot work here: {bad[0].reason}.", bad[0].advice)


async def _propose_entry_points(client: ApiClient) -> None:
    """Before the button: a public action is supported by somebody."""
    from syncerr_tui.salesforce.methods import likely_entry_points

    entry_points = await likely_entry_points(client)
    if entry_points:
        heading("What looks like a re-sync action of this org")
        say(*(f"  {name} ({kind})" for kind, name in entry_points[:5]))
        say("Ask the admin what it does. If it re-syncs, take it rather than the button.")


async def _offer_actions(client: ApiClient, kind: str) -> None:
    names = [str(one.get("name")) for one in await client.actions(kind)]
    heading(f"What this org offers ({kind})")
    say(*(f"  {name}" for name in names[:12]))
    if len(names) > 12:
        say(f"  ... and {len(names) - 12} more")


def _accept_warning(table: dict[str, Any], asker: Asker) -> None:
    accepted = str(table.pop("accept_vendor_warning", "")).casefold() == "true"
    say("", *_WARNING)
    if not accepted and not asker.agree("Has it been confirmed for this org?", default=False):
        raise RefusedError(
            "The field method needs that confirmation",
            "Use the guided method, or give --method-set accept_vendor_warning=true",
        )
    table["accept_vendor_warning"] = True


def _treatment(flags: SetupFlags, asker: Asker, profile: OrgProfile) -> OrgProfile:
    answers: dict[str, bool] = {}
    if "read_only" not in flags.treatment:
        answers["read_only"] = asker.agree("Only look, never re-sync, in this org?", default=False)
    if "reason_required" not in flags.treatment:
        answers["reason_required"] = asker.agree("Ask for a reason before every re-sync?", default=False)
    profile = dataclasses.replace(profile, **answers)  # type: ignore[arg-type]
    return profile if profile.read_only else dataclasses.replace(profile, fixes=_fixes(flags, asker, profile))


def _fixes(flags: SetupFlags, asker: Asker, profile: OrgProfile) -> FixSettings:
    """What may be fixed from here: nothing, unless the person says so."""
    allow = flags.fix_allow
    if not allow:
        say("", "'fix' removes what blocks: shown first, made once, and read again.")
        allow = asker.choose_some("What may it change in this org?", _FIXES, (), "--fix-allow")
    sets = flags.bypass_sets
    if "exemption" in allow and not sets:
        named = asker.text("Bypass permission sets (API names with commas; empty: none)", "", "--bypass-set")
        sets = tuple(filter(None, (name.strip() for name in named.split(","))))
    table = {"fixes": {"allow": [*allow], "sync_user": profile.sync_user, "bypass_permission_sets": [*sets]}}
    return _profile(table, profile.name).fixes if allow else FixSettings()
