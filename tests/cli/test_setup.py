"""`setup` writes a profile that works, asks where it must, and writes nothing when something fails."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence

import pytest

from syncerr_tui.cli._connect import default_choice
from syncerr_tui.cli._console import Asker, Options
from syncerr_tui.cli._setup_mapping import named_by_flags, settle
from syncerr_tui.demo.options import DemoOptions
from syncerr_tui.demo.server import DemoServer
from syncerr_tui.errors import BadInputError, ExitCode
from syncerr_tui.model import Environment
from syncerr_tui.salesforce.profile_files import read_profile
from syncerr_tui.salesforce.profiles import ApexMethod, EnvironmentAuth, FieldMethod, GuidedMethod, OrgProfile
from tests.cli.conftest import CommandResult, Shell
from tests.salesforce.orgs import FakeOrg, a_field
from tests.salesforce.test_discovery import changed, manual


def answer(monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{line}\n" for line in lines)))


def written(shell: Shell, name: str) -> OrgProfile:
    profile = read_profile(shell.profiles, name)
    assert profile is not None
    assert profile.mapping is not None
    return profile


def test_flags_alone_set_an_org_up(shell: Shell, org: DemoServer) -> None:
    output = shell("setup", "demo-one", "--yes", "--json", "--lanes", "2", "--reason-required")
    assert output.code == 0, output.err
    assert output.lines == [{"name": "demo-one", "path": str(shell.profiles / "demo-one.toml")}]
    profile = written(shell, "demo-one")
    assert profile.way == EnvironmentAuth()
    assert profile.environment is Environment.DEMO
    assert profile.org_id
    assert profile.method == GuidedMethod()
    assert (profile.concurrency, profile.reason_required, profile.read_only) == (2, True, False)
    assert shell("list", "--org", "demo-one", "--json").code == 0
    assert org.access_token not in (shell.profiles / "demo-one.toml").read_text(encoding="utf-8")


def test_enter_alone_sets_an_org_up(shell: Shell, org: DemoServer, monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, *[""] * 12)
    output = shell("setup")
    assert output.code == 0, output.err
    assert written(shell, "my-org").method == GuidedMethod()
    assert "Three rows, read like that" in output.err


def test_a_person_can_correct_a_line(shell: Shell, org: DemoServer, monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, "", "corrected", "code", "-", "salesforce_id", "-", *[""] * 8)
    output = shell("setup")
    assert output.code == 0, output.err
    mapping = written(shell, "corrected").mapping
    assert mapping is not None
    assert (mapping.code, mapping.salesforce_id) == (None, None)
    assert "read from the message" in output.err


def test_every_line_fits_eighty_columns(
    shell: Shell, org: DemoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    answer(monkeypatch, *[""] * 12)
    output = shell("setup")
    shown = [line for line in output.err.splitlines() if str(shell.home) not in line and "[y/N]" not in line]
    assert max(map(len, shown)) < 80
    mapping = output.err.index("What this org calls things")
    asked = output.err.index("Synced records are written")
    assert output.err[mapping:asked].count("\n") <= 22


def test_the_names_come_from_the_org(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    with DemoServer(DemoOptions(errors=20, naming="other")) as server:
        monkeypatch.setenv("SYNCERR_INSTANCE_URL", server.instance_url)
        monkeypatch.setenv("SYNCERR_ACCESS_TOKEN", server.access_token)
        assert shell("setup", "other", "--yes").code == 0
        mapping = written(shell, "other").mapping
        assert mapping is not None
        assert mapping.message == "s_c__Response__c"
        assert mapping.status == "s_c__State__c"
        assert len(shell("list", "--org", "other", "--json").lines) == 20


def test_a_method_is_checked_before_it_is_kept(shell: Shell, org: DemoServer) -> None:
    good = (
        "--method",
        "apex",
        "--method-set",
        "name=SyncErrResync",
        "--method-set",
        "id_input=changeEventId",
    )
    assert shell("setup", "good", "--yes", *good).code == 0
    assert written(shell, "good").method == ApexMethod("SyncErrResync", "changeEventId")
    output = shell(
        "setup", "bad", "--yes", "--method", "apex", "--method-set", "name=Nope", "--method-set", "id_input=x"
    )
    assert output.code == 5
    assert "This method cannot work here: Nope does not exist" in output.err
    assert not (shell.profiles / "bad.toml").exists()


def test_the_field_method_wants_its_warning_accepted(shell: Shell, org: DemoServer) -> None:
    words = ("--method", "field", "--method-set", "field=s_c__Status__c", "--method-set", "value=NEW")
    output = shell("setup", "field", "--yes", *words)
    assert output.code == 5
    assert "never write them" in output.err
    output = shell("setup", "field", "--yes", *words, "--method-set", "accept_vendor_warning=true")
    assert output.code == 0, output.err
    assert written(shell, "field").method == FieldMethod("s_c__Status__c", "NEW", accept_vendor_warning=True)


def refused(output: CommandResult, shell: Shell, code: int, line: str) -> None:
    assert output.code == code, output.err
    assert line in output.err.splitlines()[-1]
    assert list(shell.profiles.glob("*")) == []


@pytest.mark.parametrize(
    ("words", "code", "line"),
    [
        (("--way", "jwt"), 2, "--set client_id=..."),
        (
            (
                "--way",
                "client-credentials",
                "--set",
                "client_id=x",
                "--set",
                "secret=hunter2",
                "--set",
                "login_url=https://a.b",
            ),
            2,
            "must say where the secret is kept",
        ),
        (("--set", "nonsense"), 2, "KEY=VALUE"),
        (("--way", "sf", "--set", "foo=1"), 2, "--set foo: 'sf' has no such setting. It has: org"),
        (("--method", "apex"), 2, "API name (apex method) is not given. Answer with --method-set name=..."),
        (("--lanes", "abc"), 2, "'abc' is not a whole number."),
        (("--map", "colour=Red__c"), 2, "Roles are object"),
        (("--map", "message=-"), 2, "cannot do without message"),
        (("--map", "message=Nope__c"), 2, "no field Nope__c"),
        (("--object", "Nope__c"), 2, "no object Nope__c"),
    ],
)
def test_what_cannot_work_writes_nothing(
    shell: Shell, org: DemoServer, words: tuple[str, ...], code: int, line: str
) -> None:
    output = shell("setup", "broken", "--yes", *words)
    refused(output, shell, code, line)
    assert "hunter2" not in output.err


def test_an_org_that_is_set_up_is_not_overwritten(shell: Shell, org: DemoServer) -> None:
    assert shell("setup", "twice", "--yes").code == 0
    mine = shell.profiles / "twice.toml"
    mine.write_text(mine.read_text(encoding="utf-8") + "# mine\n", encoding="utf-8")
    output = shell("setup", "twice", "--yes")
    assert output.code == 2
    assert "--replace" in output.err
    assert shell("setup", "twice", "--yes", "--replace").code == 0
    assert "# mine" in (shell.profiles / "twice.toml.old").read_text(encoding="utf-8")


def test_leaving_in_the_middle_writes_nothing(
    shell: Shell, org: DemoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(monkeypatch, "", "left")
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    output = shell("setup")
    assert output.code == 130
    assert list(shell.profiles.glob("*")) == []


def test_without_a_terminal_it_says_how_to_answer(
    shell: Shell, org: DemoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(monkeypatch)
    output = shell("setup")
    assert output.code == ExitCode.MACHINE
    last = output.err.splitlines()[-1]
    assert last.startswith("syncerr-tui: Nobody can answer: this is not a terminal.")
    assert "--way" in last
    assert "--yes" in last
    assert list(shell.profiles.glob("*")) == []


def test_a_read_only_profile_is_read_only_without_a_flag(shell: Shell, org: DemoServer) -> None:
    assert shell("setup", "looking", "--yes", "--read-only").code == 0
    assert shell("setup", "--org", "working", "--yes").code == 0
    assert default_choice("looking").read_only
    assert not default_choice("working").read_only
    assert default_choice("working", read_only=True).read_only


def test_a_bare_program_opens_the_configured_org_or_the_demo(shell: Shell) -> None:
    assert default_choice().demo is not None
    shell.profiles.mkdir(parents=True)
    (shell.profiles / "acme.toml").write_text("", encoding="utf-8")
    assert default_choice().org == "acme"
    (shell.profiles / "other.toml").write_text("", encoding="utf-8")
    with pytest.raises(BadInputError, match="Several orgs"):
        default_choice()


class Answering(Asker):
    """A person whose answers are known beforehand; keeps the questions."""

    def __init__(self, *answers: str) -> None:
        super().__init__()
        self.answers = list(answers)
        self.asked: list[str] = []

    def choose(self, question: str, options: Options, default: str | None, flag: str) -> str:
        self.asked.append(f"{question} {flag}")
        answer = self.answers.pop(0)
        assert answer in dict(options)
        return answer

    def choose_some(
        self, question: str, options: Options, default: Sequence[str] | None, flag: str
    ) -> tuple[str, ...]:
        self.asked.append(f"{question} {flag}")
        return tuple(self.answers.pop(0).split(","))

    def text(self, question: str, default: str | None, flag: str) -> str:
        return self.answers.pop(0) if self.answers else default or ""


def two_objects() -> FakeOrg:
    """An org in which two fields name the object equally well."""
    case = manual()
    second = a_field("s_c__Object_Name__c", "Object")
    rows = [{**row, second["name"]: row["s_c__Object__c"]} for row in case.org.rows[case.object_name]]
    return changed(case, {second["name"]: second}, rows)


async def test_a_doubt_about_the_field_object_is_one_about_a_field() -> None:
    person = Answering("s_c__Object_Name__c")
    mapping = await settle(two_objects(), person, named_by_flags(None, (), ()))
    assert mapping.object == "s_c__Object_Name__c"
    assert mapping.object_name == "s_c__Change_Event__c"
    assert "--map object=FIELD" in person.asked[0]


async def test_a_doubt_about_the_field_object_is_answered_by_a_flag() -> None:
    with pytest.raises(BadInputError, match="may be the object") as caught:
        await settle(two_objects(), Asker(asks=False), named_by_flags(None, (), ()))
    assert "--map object=FIELD" in caught.value.hint
    named = named_by_flags(None, ("object=s_c__Object__c",), ())
    assert (await settle(two_objects(), Asker(asks=False), named)).object == "s_c__Object__c"


def many_statuses(*values: str) -> FakeOrg:
    case = manual()
    field = a_field("s_c__Status__c", "Status", "picklist", values=[(value, value) for value in values])
    rows = [
        {**row, "s_c__Status__c": values[0] if row["s_c__Status__c"] == "FAILED" else values[-1]}
        for row in case.org.rows[case.object_name]
    ]
    return changed(case, {"s_c__Status__c": field}, rows)


async def test_what_the_statuses_mean_is_asked_where_it_is_not_plain() -> None:
    org = many_statuses("Failed", "Failed for good", "Archived", "Processed")
    person = Answering("Failed", "Archived")
    mapping = await settle(org, person, named_by_flags(None, (), ()))
    assert (mapping.failed, mapping.done) == (("Failed",), ("Processed", "Archived"))
    assert len(person.asked) == 2
    for in_doubt in (org, many_statuses("Failed", "Rejected", "Done")):
        with pytest.raises(BadInputError) as caught:
            await settle(in_doubt, Asker(asks=False), named_by_flags(None, (), ()))
        assert "--failed VALUE" in caught.value.hint
    alike = many_statuses("Failed", "Error", "Archived", "Processed")
    alone = await settle(alike, Asker(asks=False), named_by_flags(None, (), ()))
    assert (alone.failed, alone.done) == (("Failed", "Error"), ("Processed",))


async def test_plain_statuses_are_not_asked_about() -> None:
    person = Answering()
    mapping = await settle(
        many_statuses("Failed", "Pending", "Processed"), person, named_by_flags(None, (), ())
    )
    assert person.asked == []
    assert (mapping.failed, mapping.pending, mapping.done) == (("Failed",), ("Pending",), ("Processed",))


def test_no_status_means_two_things() -> None:
    with pytest.raises(BadInputError, match="two things"):
        named_by_flags(None, (), ("Failed",), (), ("Failed",))


def test_an_older_profile_is_completed_by_doctor_and_keeps_its_comments(
    shell: Shell, org: DemoServer
) -> None:
    assert shell("setup", "acme", "--yes").code == 0
    path = shell.profiles / "acme.toml"
    text = path.read_text(encoding="utf-8").replace('done = ["PROCESSED"]\n', "# mine\n")
    path.write_text(text, encoding="utf-8")
    output = shell("doctor", "--org", "acme")
    assert "no status is confirmed as done" in output.out
    assert "PROCESSED" in output.out
    assert "--done" in output.out
    output = shell("doctor", "--org", "acme", "--done", "PROCESSED")
    assert "done: PROCESSED" in output.out
    assert "# mine" in path.read_text(encoding="utf-8")
    mapping = written(shell, "acme").mapping
    assert mapping is not None
    assert mapping.done == ("PROCESSED",)
    assert shell("doctor", "--org", "acme", "--done", "FAILED").code == ExitCode.BAD_INPUT


@pytest.mark.usefixtures("org")
@pytest.mark.parametrize(
    "before",
    ['done = [\n  "DONE",  # since May\n]\n', 'done = ["DONE"]  # since May\n', "'done' = ['DONE']\n"],
)
def test_a_status_is_added_however_the_list_is_written(shell: Shell, before: str) -> None:
    assert shell("setup", "acme", "--yes").code == 0
    path = shell.profiles / "acme.toml"
    text = path.read_text(encoding="utf-8").replace('done = ["PROCESSED"]\n', before)
    path.write_text(text, encoding="utf-8")
    assert "PROCESSED means done" in shell("doctor", "--org", "acme", "--done", "PROCESSED").err
    mapping = written(shell, "acme").mapping
    assert mapping is not None
    assert mapping.done == ("DONE", "PROCESSED")
    after = path.read_text(encoding="utf-8").splitlines()
    lost = [line for line in text.splitlines() if line not in after]
    assert [line for line in lost if "DONE" not in line and "]" not in line] == []
    assert ("# since May" in before) == ("# since May" in path.read_text(encoding="utf-8"))


def test_who_writes_the_synced_records_is_found_and_kept(shell: Shell, org: DemoServer) -> None:
    assert shell("setup", "acme", "--yes").code == 0
    assert written(shell, "acme").sync_user.startswith("005")
    assert shell("setup", "free", "--yes", "--sync-user", "-").code == 0
    assert written(shell, "free").sync_user == ""
    assert shell("setup", "odd", "--yes", "--sync-user", "Jane").code == ExitCode.BAD_INPUT


@pytest.mark.usefixtures("org")
def test_nothing_may_be_fixed_unless_somebody_says_so(shell: Shell) -> None:
    assert shell("setup", "plain", "--yes").code == 0
    assert "[fixes]" not in (shell.profiles / "plain.toml").read_text()
    more = ("--fix-allow", "record", "--fix-allow", "exemption", "--bypass-set", "Bypass_Validation")
    assert shell("setup", "acme", "--yes", *more).code == 0
    assert 'allow = ["record", "exemption"]' in (shell.profiles / "acme.toml").read_text()
    assert 'bypass_permission_sets = ["Bypass_Validation"]' in (shell.profiles / "acme.toml").read_text()
    assert shell("setup", "other", "--yes", "--fix-allow", "everything").code == 2
