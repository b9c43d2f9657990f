"""A journal that several people write: a team's PostgreSQL, or one file for the users of a machine."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import sleep
from typing import Any

import psycopg
import pytest

from syncerr_tui.errors import BadInputError, MachineError, RefusedError, SyncErrError
from syncerr_tui.fixes.ledger import FixLedger
from syncerr_tui.fixes.org import FixChange, FixKind, FixTarget
from syncerr_tui.journal import sqlite_file
from syncerr_tui.journal.attempt import OutcomeKind
from syncerr_tui.journal.claims import Owner
from syncerr_tui.journal.database import MIGRATIONS, Server
from syncerr_tui.journal.history import History
from syncerr_tui.journal.journal import Journal
from syncerr_tui.journal.people import LOOKS
from syncerr_tui.journal.places import open_journal
from syncerr_tui.model import Verdict
from syncerr_tui.resync.doubt import held
from tests import forks
from tests.factories import sync_error
from tests.journal.opening import open_as
from tests.journal.test_journal import answered, begin, fixed, intent, plan_of
from tests.postgres import PostgresServer
from tests.resync.lying_org import IDENTITY, START

ROOT = Path(__file__).parents[2]
SECRET = "correct horse battery staple"
ELSEWHERE = replace(Owner.current(), host="ops-2", boot="another kernel/1", machine="another machine")

Open = Callable[..., Journal]


@pytest.fixture
def server(postgres: PostgresServer, database: str) -> Server:
    return Server(postgres.url(database))


@pytest.fixture
def on(tmp_path: Path, server: Server) -> Iterator[Open]:
    """Opens the team's journal as a process of some machine, with a home of its own."""
    opened: list[Journal] = []

    def one(owner: Owner | None = None, **options: object) -> Journal:
        folder = tmp_path / f"home{len(opened)}"
        journal = open_as(
            folder,
            IDENTITY.org_id,
            **{"clock": lambda: START, "owner": owner, "shared": server, **options},  # type: ignore[arg-type]
        )
        opened.append(journal)
        return journal

    yield one
    for journal in opened:
        journal.close()


# -- two machines


def test_rows_of_a_living_process_on_another_machine_are_held(on: Open) -> None:
    there, here = on(ELSEWHERE), on()
    run = begin(there, plan_of(1, 2)).run
    begun = begin(here, plan_of(2, 3))
    assert begun.held == {sync_error(2).id: f"{_user()}, process {os.getpid()} on ops-2"}
    with pytest.raises(RefusedError, match="being re-synced by"):
        begin(here, plan_of(1))
    with pytest.raises(RefusedError, match="still under way"):
        here.adopt(run, [])
    with pytest.raises(RefusedError, match="Another run"):
        here.intend(begun.run, [intent(2)])
    assert set(held(here, [sync_error(1).id])) == {sync_error(1).id}
    assert {r.id for r in History(here).under_way()} == {run, begun.run}
    assert History(here).unfinished() == ()


def test_a_run_that_could_not_be_let_go_of_is_once_the_journal_is_back(
    on: Open, postgres: PostgresServer, database: str
) -> None:
    there, here = on(ELSEWHERE), on()
    left, kept = begin(there, plan_of(1)).run, begin(there, plan_of(2)).run
    there.hold("fix:1", unless="fix:")
    postgres.allow(database, connections=False)
    postgres.cut(database)
    with pytest.raises(MachineError):
        there.release(left)
    postgres.allow(database, connections=True)
    assert {r.id for r in History(here).under_way()} == {left, kept}
    there.present(LOOKS)
    assert {r.id for r in History(here).under_way()} == {kept}
    assert [u.run.id for u in History(here).unfinished()] == [left]
    assert begin(here, plan_of(1)).held == {}
    there.intend(kept, [intent(2)])
    assert here.hold("fix:2", unless="fix:"), "what is no run stays in hand"


def _user() -> str:
    from syncerr_tui.journal.claims import os_user

    return os_user()


def test_what_one_machine_sent_and_proved_the_other_knows(on: Open) -> None:
    there, here = on(ELSEWHERE), on()
    run = begin(there, plan_of(1, 2)).run
    numbers = there.intend(run, [intent(1), intent(2)])
    there.outcomes([answered(2, numbers[sync_error(2).id], OutcomeKind.UNKNOWN, "silence")])
    there.finish_rows(run, [fixed(1, numbers[sync_error(1).id])])
    assert set(History(here).open_attempts()) == {sync_error(2).id}
    (row, _) = History(here).rows_of(run)
    assert row.verdict is Verdict.FIXED


def test_a_safeguard_that_one_machine_switched_off_is_the_others_to_put_back(on: Open) -> None:
    there = FixLedger(on(ELSEWHERE), os_user="ana", org_user="ana@acme")
    here = FixLedger(on(), os_user="ben", org_user="ben@acme")
    fix = there.begin(
        FixChange(
            FixKind.VALIDATION_RULE_OFF,
            FixTarget("ValidationRule", "03d000000000001AAA", "Order.Tax"),
            {"active": False},
            {"active": True},
        ),
        "<xml/>",
    )
    (off,) = here.open_safeguards()
    assert (off.id, off.by, off.target.name) == (fix.id, "ana", "Order.Tax")
    here.restoring(fix.id)
    here.restored(fix.id, "accepted")
    here.close(fix.id, "put back")
    assert there.open_safeguards() == []
    assert there.get(fix.id).closed == "put back"


def test_of_two_machines_that_need_a_safeguard_off_the_last_puts_it_back(on: Open) -> None:
    target = FixTarget("ValidationRule", "03d000000000001AAA", "Order.Tax")
    there = FixLedger(on(ELSEWHERE), os_user="ana", org_user="ana@acme")
    here = FixLedger(on(), os_user="ben", org_user="ben@acme")
    assert [there.require_off(target), here.require_off(target)] == ["", ""]
    assert there.put_back_begins(target), "the other run still needs it off"
    assert here.put_back_begins(target) == ""
    assert there.require_off(target), "it is going on again right now"
    here.put_back_ended(target)
    assert there.require_off(target) == ""
    assert there.put_back_begins(target) == ""


def test_a_silent_machine_is_taken_for_dead_by_the_databases_clock_alone(
    on: Open, postgres: PostgresServer, database: str
) -> None:
    there = on(ELSEWHERE)
    run = begin(there, plan_of(1)).run
    there.intend(run, [intent(1)])
    # This machine's clock is years off (START), and that must not matter.
    here = on(clock=lambda: START + timedelta(days=900))
    assert begin(here, plan_of(1, 2)).held

    def silent(minutes: int) -> None:
        at = (datetime.now(UTC) - timedelta(minutes=minutes)).isoformat(timespec="microseconds")
        postgres.do(
            f"""UPDATE "syncerr_{IDENTITY.org_id}".owners SET heartbeat = '{at}' WHERE host = 'ops-2'""",
            database=database,
        )

    silent(9)
    assert [r.id for r in History(here).under_way()][-1] == run
    silent(11)
    assert [u.run.id for u in History(here).unfinished()] == [run]
    assert here.adopt(run, [sync_error(1).id]) == {}
    # What it had sent has an unknown outcome: to be read again before anything else.
    assert set(History(here).open_attempts()) == {sync_error(1).id}
    with pytest.raises(RefusedError, match="Another run has taken over"):
        there.intend(run, [intent(1, 2)])


def test_a_run_is_adopted_by_one_of_two(on: Open, postgres: PostgresServer, database: str) -> None:
    there = on(ELSEWHERE)
    run = begin(there, plan_of(1)).run
    there.release(run)
    one, two = on(), on(replace(ELSEWHERE, host="ops-3", boot="third/1", machine="third"))
    one.adopt(run, [sync_error(1).id])
    with pytest.raises(RefusedError, match="still under way"):
        two.adopt(run, [sync_error(1).id])


def test_a_copy_of_this_machine_is_not_taken_for_this_machine_started_anew(on: Open) -> None:
    """Two machines made from one image: the same name, the same id, and another kernel."""
    copy = on(replace(Owner.current(), boot="another kernel/1"))
    begin(copy, plan_of(1))
    assert begin(on(), plan_of(1, 2)).held


def test_a_container_beside_this_one_is_known_by_its_heartbeat(on: Open) -> None:
    """The same kernel, another table of processes: what the ids here say is about other processes."""
    kernel = Owner.current().boot.partition("/")[0]
    beside = on(replace(Owner.current(), pid=1, boot=f"{kernel}/42"))
    begin(beside, plan_of(1))
    assert begin(on(), plan_of(1, 2)).held


def test_every_time_in_it_is_the_databases(on: Open, postgres: PostgresServer) -> None:
    journal = on()  # its own clock stands at START
    begin(journal, plan_of(1))
    now = datetime.now(UTC)
    assert abs((History(journal).runs()[0].started_at - now).total_seconds()) < 60
    assert abs((journal.now() - now).total_seconds()) < 60


# -- a database that is lost


def test_a_connection_that_was_cut_is_opened_anew(on: Open, postgres: PostgresServer, database: str) -> None:
    journal = on()
    run = begin(journal, plan_of(1)).run
    postgres.cut(database)
    assert History(journal).runs()[0].id == run
    postgres.cut(database)
    assert journal.intend(run, [intent(1)])


def test_the_time_is_known_while_a_connection_is_opened_anew(
    on: Open, postgres: PostgresServer, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal, meanwhile = on(clock=None), list[datetime]()

    def execute(connection: psycopg.Connection, query: Any, *values: Any) -> object:
        if "clock_timestamp" in query:
            meanwhile.append(journal.now())
        return asked(connection, query, *values)

    asked = psycopg.Connection.execute
    monkeypatch.setattr(psycopg.Connection, "execute", execute)
    before = journal.now()
    postgres.cut(database)
    assert History(journal).runs() == ()
    assert meanwhile
    assert all(timedelta(seconds=-1) < now - before < timedelta(seconds=60) for now in meanwhile)


def test_without_the_database_nothing_may_be_sent_and_nothing_is_lost(
    on: Open, postgres: PostgresServer, database: str
) -> None:
    journal = on()
    run = begin(journal, plan_of(1)).run
    postgres.allow(database, connections=False)
    postgres.cut(database)
    with pytest.raises(MachineError, match="The journal cannot be reached") as raised:
        journal.intend(run, [intent(1)])
    assert "Nothing is sent without it" in raised.value.hint
    assert "\n" not in raised.value.line
    with pytest.raises(MachineError, match="cannot be reached"):
        journal.release(run)
    postgres.allow(database, connections=True)
    assert [u.summary for u in History(journal).unfinished()] == [
        "1 planned, 0 proven, 0 sent with unknown outcome, 1 not sent"
    ]
    assert journal.adopt(run, [sync_error(1).id]) == {}


def test_a_connection_that_is_lost_while_something_is_written_leaves_nothing_of_it(
    on: Open, postgres: PostgresServer, database: str
) -> None:
    journal = on()
    run = begin(journal, plan_of(1)).run
    with pytest.raises(MachineError, match="cannot be reached"), journal._transaction() as sql:
        journal._mark(sql, run, "paused", "")
        postgres.cut(database)
        with pytest.raises(MachineError, match="cannot be reached"):
            History(journal).runs()  # not over another connection: what is being written would seem whole
    assert History(journal).marks(run) == ()


def test_a_full_disk_is_told(on: Open, postgres: PostgresServer, database: str) -> None:
    journal = on()
    run = begin(journal, plan_of(1)).run
    postgres.do(
        f'SET search_path = "syncerr_{IDENTITY.org_id}"',
        """CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        RAISE EXCEPTION 'could not extend file "base/1": No space left on device' USING ERRCODE = '53100';
        END $$""",
        "CREATE TRIGGER full_disk BEFORE INSERT ON intents EXECUTE FUNCTION full_disk()",
        database=database,
    )
    with pytest.raises(MachineError, match="No space left on device") as raised:
        journal.intend(run, [intent(1)])
    assert "Nothing is sent without it" in raised.value.hint
    assert journal.read("SELECT * FROM intents") == []


@pytest.mark.parametrize("change", ["UPDATE runs SET at = at", "DELETE FROM runs", "TRUNCATE runs"])
def test_history_only_grows(on: Open, change: str) -> None:
    journal = on()
    begin(journal, plan_of(1))
    with pytest.raises(MachineError, match="append-only"):
        journal.read(change)


# -- bad input


def told(server: Server, tmp_path: Path, **options: object) -> SyncErrError:
    with pytest.raises(SyncErrError) as refused:
        open_as(
            tmp_path,
            IDENTITY.org_id,
            clock=lambda: START,
            shared=server,
            **options,  # type: ignore[arg-type]
        )
    assert "\n" not in refused.value.line
    assert SECRET not in refused.value.line
    return refused.value


@pytest.mark.parametrize(
    "address",
    [
        "mysql://ana@ops/acme",
        "postgresql://[ops/acme",
        "acme.db",
        f"postgresql://ana:{SECRET}@ops/acme",
        f"postgresql://ops/acme?password={SECRET}",
        "postgresql://ops/acme?sslmode=perhaps\x1b[2J",
        "postgresql://ops:many/acme?nonsense",
    ],
)
def test_an_address_that_is_none_is_refused(tmp_path: Path, address: str) -> None:
    with pytest.raises((BadInputError, MachineError)) as refused:
        open_journal(tmp_path, IDENTITY.org_id, shared=address)
    assert SECRET not in refused.value.line
    assert "\x1b" not in refused.value.line
    assert "\n" not in refused.value.line


def test_a_server_that_is_not_there(tmp_path: Path, postgres: PostgresServer) -> None:
    assert "cannot be reached" in told(Server("postgresql://127.0.0.1:1/acme"), tmp_path).title
    error = told(Server(postgres.url("nobody_made_this")), tmp_path)
    assert 'database "nobody_made_this" does not exist' in error.title


def test_a_password_is_asked_for_where_it_is_kept_and_a_wrong_one_is_told(
    tmp_path: Path, postgres: PostgresServer, database: str
) -> None:
    with postgres.guarded(database, SECRET) as url:
        wrong = told(Server(url, lambda: "wrong"), tmp_path)
        assert "password authentication failed" in wrong.title
        with Journal.open(
            tmp_path, IDENTITY.org_id, clock=lambda: START, shared=Server(url, lambda: SECRET)
        ) as journal:
            begin(journal, plan_of(1))
            assert SECRET not in repr(journal._database.__dict__)
            assert SECRET not in journal.place
        assert all(SECRET.encode() not in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


def test_a_user_without_rights_is_told(tmp_path: Path, postgres: PostgresServer, database: str) -> None:
    role = f"ben_{database}"
    postgres.do(f'CREATE ROLE "{role}" LOGIN')
    try:
        nothing_made = told(Server(postgres.url(database, role)), tmp_path)
        assert "refuses this user: permission denied for database" in nothing_made.title
        Journal.open(
            tmp_path, IDENTITY.org_id, clock=lambda: START, shared=Server(postgres.url(database))
        ).close()
        somebody_elses = told(Server(postgres.url(database, role)), tmp_path)
        assert "refuses this user: permission denied" in somebody_elses.title
    finally:
        postgres.do(f'DROP ROLE "{role}"')


def test_another_programs_database_is_left_alone_unless_its_owner_makes_room(
    tmp_path: Path, postgres: PostgresServer, database: str, server: Server
) -> None:
    postgres.do("CREATE TABLE orders (id int)", database=database)
    error = told(server, tmp_path)
    assert "is another program's" in error.title
    assert postgres.do(
        "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'syncerr%'", database=database
    ) == [(0,)]
    schema = error.hint.rpartition(": ")[2].strip(".")
    postgres.do(schema, database=database)
    Journal.open(tmp_path, IDENTITY.org_id, clock=lambda: START, shared=server).close()


def test_a_schema_that_is_no_journals_is_left_alone(
    tmp_path: Path, postgres: PostgresServer, database: str, server: Server
) -> None:
    postgres.do(
        f'CREATE SCHEMA "syncerr_{IDENTITY.org_id}"',
        f'CREATE TABLE "syncerr_{IDENTITY.org_id}".runs (id int)',
        database=database,
    )
    assert "is another program's" in told(server, tmp_path).title


def test_a_newer_schema_is_left_alone_and_an_older_one_is_brought_up_to_date(
    on: Open, tmp_path: Path, server: Server
) -> None:
    older = on(migrations=MIGRATIONS[:3])
    assert older.read("SELECT version FROM journal_version")[0][0] == 3
    newer = (*MIGRATIONS, ("CREATE TABLE more (x INTEGER)",))
    run = begin(on(), plan_of(1)).run
    assert History(on(migrations=newer)).runs()[0].id == run
    assert "newer version" in told(server, tmp_path).title


def test_a_migration_that_fails_leaves_the_database_as_it_was(
    on: Open, tmp_path: Path, server: Server
) -> None:
    begin(on(), plan_of(1))
    broken = (*MIGRATIONS, ("CREATE TABLE more (x INTEGER)", "CREATE TABLE runs (x INTEGER)"))
    assert "already exists" in told(server, tmp_path, migrations=broken).title
    assert len(History(on()).runs()) == 1


def test_several_orgs_share_a_database(tmp_path: Path, server: Server) -> None:
    for org in (IDENTITY.org_id, "00D000000000002AAA"):
        with Journal.open(tmp_path, org, clock=lambda: START, shared=server) as journal:
            assert History(journal).runs() == ()
            if org == IDENTITY.org_id:
                begin(journal, plan_of(1))


def test_without_the_client_the_way_to_it_is_told() -> None:
    program = (
        "import sys; sys.modules['psycopg'] = None\n"
        "from pathlib import Path\nfrom syncerr_tui.journal.places import open_journal\n"
        "from syncerr_tui.errors import BadInputError\n"
        "try:\n    open_journal(Path('.'), '00D000000000001AAA', shared='postgresql://ops/acme')\n"
        "except BadInputError as error:\n    print(error.line)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "pip install 'syncerr-tui[team]'" in done.stdout


# -- one file for the users of a machine

_USER = """
import os, signal
from datetime import UTC, datetime
from pathlib import Path
from tests.journal.test_journal import begin, intent, plan_of
from tests.factories import sync_error
from tests.resync.lying_org import IDENTITY
from syncerr_tui.journal.history import History
from syncerr_tui.journal.journal import Journal
folder, group, user, rows = {job}
warm = Path(folder) / f"warm-{{os.getpid()}}"
with Journal.open(warm, IDENTITY.org_id, clock=lambda: datetime.now(UTC)) as journal:
    begin(journal, plan_of(1))  # all that is imported late: this user may not read it
os.setgroups([group]); os.setgid(user); os.setuid(user); os.umask(0o077)
journal = Journal.open(Path(folder) / str(user), IDENTITY.org_id, clock=lambda: datetime.now(UTC),
    shared=Path(folder) / "shared" / "acme.db")
held = begin(journal, plan_of(*rows)).held
free = [intent(n) for n in rows if sync_error(n).id not in held]
journal.intend(History(journal).runs()[0].id, free)
print(len(held), len(History(journal).runs()), flush=True)
signal.pause()
"""


def test_a_colleague_may_make_the_folder_in_the_same_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, shared = Path.mkdir, tmp_path / "shared"

    def mkdir(folder: Path, *given: Any, **options: Any) -> None:
        if folder == shared and not shared.exists():
            make(shared)  # the colleague's
        make(folder, *given, **options)

    monkeypatch.setattr(Path, "mkdir", mkdir)
    with Journal.open(tmp_path, IDENTITY.org_id, clock=lambda: START, shared=shared / "acme.db") as journal:
        assert History(journal).runs() == ()


@pytest.mark.skipif(os.name != "posix" or os.getuid() != 0, reason="only root can be several users")
@pytest.mark.parametrize("mode", [0o2770, 0o770])
def test_users_of_one_machine_share_a_file_whatever_their_umask(
    mode: int, request: pytest.FixtureRequest
) -> None:
    group, ana, ben = 51_000, 51_001, 51_002
    temporary = tempfile.TemporaryDirectory()  # pytest keeps its own folders from other users
    folder = Path(temporary.name)
    folder.chmod(0o755)
    (folder / "shared").mkdir()
    os.chown(folder / "shared", 0, group)
    (folder / "shared").chmod(mode)
    for user in (ana, ben):
        (folder / str(user)).mkdir()
        os.chown(folder / str(user), user, user)

    processes: list[forks.Child] = []

    def end() -> None:
        for process in processes:
            process.kill()
            process.wait()
        temporary.cleanup()

    request.addfinalizer(end)

    def begins(user: int, *rows: int) -> str:
        process = forks.start(env={}, first=_USER.format(job=(str(folder), group, user, rows)))
        processes.append(process)
        while not process.out.endswith("\n"):
            assert process.alive, process.err
            sleep(0.005)
        return process.out.strip()

    assert begins(ana, 1, 2) == "0 1"
    assert begins(ben, 2, 3) == "1 2"
    # Killed, both leave their side files; whoever comes next is somebody else.
    for process in processes:
        process.kill()
        process.wait()
    assert begins(ben, 1, 2, 3) == "0 3"
    assert begins(ana, 3, 4) == "1 4"
    for path in (folder / "shared").iterdir():
        assert (path.stat().st_gid, path.stat().st_mode & 0o777) == (group, 0o660), path


MOUNTS = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
40 22 0:41 / /mnt/two\\040words rw shared:2 master:3 - nfs4 ops:/x rw,vers=4.2
41 22 0:42 / /srv rw - fuse.sshfs ana@ops:/srv rw
42 41 8:2 / /srv/local rw - xfs /dev/sdb rw
43 22 0:43 / /home rw - cifs //ops/home rw
half a line
"""


@pytest.mark.parametrize(
    ("path", "system"),
    [
        ("/var/acme.db", ""),
        ("/mnt/two words/deep/acme.db", "nfs4"),
        ("/mnt/two/acme.db", ""),
        ("/srv/acme.db", "fuse.sshfs"),
        ("/srv/local/acme.db", ""),
        ("/home/ana/acme.db", "cifs"),
    ],
)
def test_a_network_file_system_is_known(tmp_path: Path, path: str, system: str) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(MOUNTS)
    assert sqlite_file.network_file_system(Path(path), mounts) == system
    assert sqlite_file.network_file_system(Path(path), tmp_path / "none") == ""


def test_a_shared_file_on_a_network_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_file, "network_file_system", lambda path: "nfs4")
    with pytest.raises(MachineError, match=r"cannot be shared from a network file system \(nfs4\)"):
        open_journal(tmp_path, IDENTITY.org_id, shared=str(tmp_path / "acme.db"))
    assert not (tmp_path / "acme.db").exists()
    open_journal(tmp_path, IDENTITY.org_id).close()


def test_sqlite_is_a_word_for_the_usual_place(tmp_path: Path) -> None:
    with open_journal(tmp_path, IDENTITY.org_id, shared="sqlite") as journal:
        assert journal.path == tmp_path / "journals" / f"journal-{IDENTITY.org_id}.db"
