"""Names read from an org, kept between starts, read again when they are old."""

from __future__ import annotations

import stat
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from syncerr_tui.diagnosis.org_metadata import OrgMetadata
from syncerr_tui.diagnosis.read import diagnose
from syncerr_tui.errors import NotLoggedInError, RefusedError, SyncErrError
from syncerr_tui.host.remembered import MetadataCache
from syncerr_tui.salesforce.metadata_lookup import FRESH, OrgDictionary

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
PICKLIST = diagnose("Colour: bad value for restricted picklist field: Mauve: [Colour__c]")


@dataclass
class Org:
    asked: list[str] = field(default_factory=list)
    refuses: SyncErrError | None = None

    async def describe_global(self) -> list[dict[str, Any]]:
        self.asked.append("all")
        return [
            {"name": "Order", "label": "Auftrag", "labelPlural": "Aufträge", "keyPrefix": "801"},
            {"name": "Odd__c", "label": None, "labelPlural": 5, "keyPrefix": None},
        ]

    async def describe(self, object_name: str, *, fresh: bool = False) -> dict[str, Any]:
        self.asked.append(f"{object_name}{' again' if fresh else ''}")
        if self.refuses:
            raise self.refuses
        values = [
            {"value": "Red", "active": True},
            {"value": "Old", "active": False},
            {"value": None},
            "junk",
        ]
        return {"fields": [{"name": "Colour__c", "label": "Farbe", "picklistValues": values}]}


@dataclass
class Clock:
    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now


async def test_only_the_objects_that_an_error_speaks_of_are_described() -> None:
    org = Org()
    metadata = await OrgDictionary(org, clock=Clock()).covering(PICKLIST, "Order")
    assert org.asked == ["all", "Order"]
    (colour,) = metadata.described["Order"].fields
    assert (colour.label, colour.values) == ("Farbe", ("Red",))


async def test_names_are_kept_on_disk_and_read_again_when_they_are_old(tmp_path: Path) -> None:
    clock, store = Clock(), MetadataCache(tmp_path / "cache", "00D5g000004AbcDEAS")
    await OrgDictionary(Org(), store, clock).covering(PICKLIST, "Order")
    second = Org()
    metadata = await OrgDictionary(second, store, clock).covering(PICKLIST, "Order")
    assert second.asked == []
    assert metadata.object_named("Aufträge") is not None
    clock.now += FRESH + timedelta(seconds=1)
    third = Org()
    await OrgDictionary(third, store, clock).covering(PICKLIST, "Order")
    assert third.asked == ["all", "Order again"]
    (path,) = (tmp_path / "cache").iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_what_the_org_refuses_stays_unknown_and_a_lost_login_is_passed_on() -> None:
    metadata = await OrgDictionary(Org(refuses=RefusedError("no")), clock=Clock()).covering(PICKLIST, "Order")
    assert metadata.described == {}
    with pytest.raises(NotLoggedInError):
        await OrgDictionary(Org(refuses=NotLoggedInError("x")), clock=Clock()).covering(PICKLIST, "Order")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"version": 2}',
        '{"version": 1}',
        '{"version": 1, "objects": [[1]], "read_at": null}',
        "\x00",
    ],
)
def test_a_damaged_file_is_no_cache(tmp_path: Path, text: str) -> None:
    store = MetadataCache(tmp_path, "00D5g000004AbcDEAS")
    store.save(OrgMetadata(read_at=NOW))
    (path,) = tmp_path.iterdir()
    path.write_text(text, encoding="utf-8")
    assert store.load() is None


def test_a_folder_that_cannot_be_written_is_no_trouble(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file", encoding="utf-8")
    store = MetadataCache(tmp_path / "cache", "../../etc/passwd")
    store.save(OrgMetadata(read_at=NOW))
    assert store.load() is None
    assert [path.name for path in tmp_path.iterdir()] == ["cache"]
