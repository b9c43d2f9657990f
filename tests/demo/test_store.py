"""The store: what it keeps and how, whose files it opens, that a transaction is all or nothing."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from syncerr_tui.demo.options import DemoOptions
from syncerr_tui.demo.org import DemoOrg
from syncerr_tui.demo.schema import long_id
from syncerr_tui.demo.schema_variants import schema_of_variant
from syncerr_tui.demo.server import DemoServer, ManualClock
from syncerr_tui.demo.store import DEMO_ORGANIZATION_ID, DEMO_USER_ID, Store
from syncerr_tui.errors import BadInputError

SCHEMA = schema_of_variant("assumed")
NOON = datetime(2026, 11, 23, 12, 0, 0, 900_000, tzinfo=UTC)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON)


@pytest.fixture
def store(clock: ManualClock) -> Store:
    return Store(None, SCHEMA, clock=clock)


@pytest.mark.parametrize("known", ["001xx000003DGb2AAG", DEMO_USER_ID, DEMO_ORGANIZATION_ID])
def test_check_characters(known: str) -> None:
    assert long_id(known[:15]) == known


def test_ids_are_of_their_object_and_never_twice(store: Store) -> None:
    ids = store.insert_many("Account", [{"Name": str(n)} for n in range(100)])
    assert len({*ids, store.new_id("Account")}) == 101
    assert all(each.startswith("001") and long_id(each[:15]) == each for each in ids)


def test_stamps_follow_the_clock_in_whole_seconds(store: Store, clock: ManualClock) -> None:
    record_id = store.insert("Account", {"Name": "x"})
    clock.advance(60)
    assert store.update("Account", record_id, {"Name": "y"})
    record = store.get("Account", record_id)
    assert record is not None
    assert record["CreatedDate"] == "2026-11-23T12:00:00.000+0000"
    assert record["SystemModstamp"] == record["LastModifiedDate"] == "2026-11-23T12:01:00.000+0000"
    assert record["LastModifiedById"] == DEMO_USER_ID
    assert record["IsDeleted"] is False


def test_a_half_built_world_is_not_kept(tmp_path: Path) -> None:
    def cut_off(options: DemoOptions, *, clock: Callable[[], datetime], store: Store) -> DemoOrg:
        store.insert("Account", {"Name": "half"})
        raise KeyboardInterrupt

    options = DemoOptions(errors=3, db=tmp_path / "demo.db")
    with pytest.raises(KeyboardInterrupt):
        DemoServer(options, make_org=cut_off)
    kept = Store(options.db, SCHEMA)
    assert kept.count("Account") == 0
    kept.close()


def test_values_are_kept_as_the_api_shows_them(store: Store) -> None:
    record_id = store.insert("Account", {"Name": "", "CreatedDate": "2026-01-01T01:00:00+01:00"})
    record = store.get("Account", record_id)
    assert record is not None
    assert (record["Name"], record["CreatedDate"]) == (None, "2026-01-01T00:00:00.000+0000")


def test_deleted_records_stay_in_the_bin(store: Store) -> None:
    record_id = store.insert("Account", {"Name": "x"})
    assert store.delete("Account", record_id)
    assert not store.delete("Account", record_id)
    assert not store.update("Account", record_id, {"Name": "y"})
    assert store.get("Account", record_id) is None
    assert store.find("Account", Name="x") == []
    kept = store.get("Account", record_id, deleted=True)
    assert kept is not None
    assert kept["IsDeleted"] is True


def test_find_and_count(store: Store) -> None:
    store.insert_many("Account", [{"Name": "a"}, {"Name": "A"}, {"Name": "b", "Phone": "1"}])
    assert [each["Name"] for each in store.find("Account", Name="a")] == ["a", "A"]
    assert store.count("Account", Phone=None) == 2
    with pytest.raises(KeyError, match="Nope"):
        store.find("Account", Nope=1)


def test_a_transaction_is_all_or_nothing(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), store.transaction():
        store.insert("Account", {"Name": "outer"})
        with pytest.raises(KeyError), store.transaction():
            store.insert("Account", {"Name": "inner"})
            raise KeyError
        assert store.count("Account") == 1
        _ = 1 / 0
    assert store.count("Account") == 0
    first = store.insert("Account", {"Name": "x"})
    assert store.get("Account", first) is not None


def test_threads_do_not_meet_in_a_transaction(store: Store) -> None:
    def add() -> None:
        for _ in range(20):
            with store.transaction():
                before = store.count("Account")
                store.insert("Account", {"Name": str(before)})

    threads = [threading.Thread(target=add) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(int(str(each["Name"])) for each in store.find("Account")) == list(range(120))


def test_a_file_keeps_everything(tmp_path: Path) -> None:
    path = tmp_path / "demo.db"
    first = Store(path, SCHEMA)
    record_id = first.insert("Account", {"Name": "kept"})
    first.remember("seed", {"n": 1})
    first.close()
    again = Store(path, SCHEMA)
    assert again.find("Account", Name="kept")[0]["Id"] == record_id
    assert again.recall("seed") == {"n": 1}
    assert again.recall("nothing", 5) == 5
    assert again.new_id("Account") != record_id
    again.close()


@pytest.mark.parametrize(
    "content", [b"not a database at all, not even close" * 40, b"SQLite format 3\0" + b"\xff" * 4_000]
)
def test_a_damaged_file_is_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "demo.db"
    path.write_bytes(content)
    with pytest.raises(BadInputError, match="not a demo database"):
        Store(path, SCHEMA)
    assert path.read_bytes() == content


def test_another_programs_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(BadInputError, match="another program"):
        Store(path, SCHEMA)
    assert path.read_bytes() == before


def test_another_naming_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "demo.db"
    smaller = {name: each for name, each in SCHEMA.items() if name != "Account"}
    Store(path, smaller).close()
    with pytest.raises(BadInputError, match="made with other options"):
        Store(path, SCHEMA)


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    for path in (tmp_path / "no" / "such" / "folder" / "demo.db", tmp_path):
        with pytest.raises(BadInputError, match="cannot be opened"):
            Store(path, SCHEMA)
