"""Profiles on disk: what is written is what is read, and every mistake is named with its line."""

from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pytest
from hypothesis import given, strategies as st

from syncerr_tui.diagnosis.links import safe_url
from syncerr_tui.errors import BadInputError, MachineError
from syncerr_tui.files import TomlSource
from syncerr_tui.model import Environment, EventType
from syncerr_tui.salesforce.profile_files import (
    profile_names,
    profile_of,
    read_profile,
    text_of,
    write_profile,
)
from syncerr_tui.salesforce.profiles import (
    ApexMethod,
    ApexRestMethod,
    AuthMethod,
    ClientCredentialsAuth,
    EnvironmentAuth,
    FieldMapping,
    FieldMethod,
    FlowMethod,
    GuidedMethod,
    JwtBearerAuth,
    Method,
    OrgProfile,
    PasswordAuth,
    RecordPointer,
    RefreshTokenAuth,
    SecretRef,
    SfCliAuth,
)
from tests.salesforce.test_methods import MAPPING as PLAIN

MAPPING = replace(
    PLAIN,
    failed=("FAILED", 'odd "quoted" \\ value\twith a tab'),
    done=(),
    pointer=RecordPointer.TEXT,
    code=None,
    event_types=MappingProxyType(
        {"作成": EventType.CREATE, "Löschen": EventType.DELETE, "x.y": EventType.OTHER}
    ),
)
WAYS: tuple[AuthMethod, ...] = (
    SfCliAuth("acme"),
    EnvironmentAuth(),
    JwtBearerAuth("3MVG9", "ana@acme.example", "~/acme.key", token_url="https://acme.my.salesforce.com"),
    ClientCredentialsAuth("3MVG9", SecretRef("env", "ACME_SECRET"), "https://acme.my.salesforce.com"),
    RefreshTokenAuth("PlatformCLI", SecretRef("file", "/home/ana/.acme token")),
    PasswordAuth("ana@acme.example", SecretRef("keyring", "syncerr/acme"), SecretRef("env", "TOKEN")),
)
METHODS: tuple[Method, ...] = (
    GuidedMethod(),
    GuidedMethod("/lightning/n/s_c__Sync_Errors"),
    FlowMethod("Acme_Resync", "eventId"),
    ApexMethod("acme__Resync", "eventId"),
    ApexRestMethod("acme/resync"),
    FieldMethod("s_c__Status__c", "NEW", accept_vendor_warning=True),
)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.kind)
@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.kind)
def test_what_is_written_is_read(tmp_path: Path, way: AuthMethod, method: Method) -> None:
    profile = OrgProfile(
        "acme-prod",
        way,
        Environment.SANDBOX,
        "00D5g000000abcdEAA",
        method,
        MAPPING,
        concurrency=2,
        batch_size=200,
        proof_timeout=90.5,
        read_only=True,
        reason_required=True,
    )
    path = write_profile(tmp_path / "orgs", profile)
    assert read_profile(tmp_path / "orgs", "acme-prod") == profile
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert profile_names(tmp_path / "orgs") == ("acme-prod",)
    assert sorted(child.name for child in path.parent.iterdir()) == ["acme-prod.toml"]


words = st.text(st.characters(codec="utf-8"), min_size=1, max_size=30)


@given(
    failed=st.lists(words, min_size=1, max_size=3),
    kinds=st.dictionaries(words, st.sampled_from(EventType), min_size=1),
)
def test_no_value_of_an_org_can_break_the_file(failed: list[str], kinds: dict[str, EventType]) -> None:
    mapping = FieldMapping(
        "O__c", "A__c", "B__c", "C__c", "D__c", "E__c", "F__c", tuple(failed), event_types=kinds
    )
    profile = OrgProfile("acme", mapping=mapping)
    source = TomlSource(Path("acme.toml"), text_of(profile))
    assert profile_of(source.tables(), source, "acme") == profile


def test_a_name_that_is_no_file_name_is_refused(tmp_path: Path) -> None:
    for name in ("../evil", "", "a/b", ".hidden", "x" * 101, "a\nb"):
        with pytest.raises(BadInputError, match="cannot be a profile's name"):
            read_profile(tmp_path, name)


def test_an_absent_file_is_no_profile(tmp_path: Path) -> None:
    assert read_profile(tmp_path / "nowhere", "acme") is None
    assert profile_names(tmp_path / "nowhere") == ()


WRONG = [
    ("lanes = 4\nlane = 2\n", 2, "lane is not a setting", "Did you mean concurrency?"),
    ("zebra = 2\n", 1, "zebra is not a setting", "Known here"),
    ("[fixes]\nallow = ['everything']\n", 2, "fixes.allow does not know 'everything'", "It takes: record"),
    ("[fixes]\nallow = 'record'\n", 2, "fixes.allow must be a list of texts", ""),
    ("[fixes]\nalow = []\n", 2, "fixes.alow is not a setting", "Did you mean allow?"),
    ("[fixes]\nbypass_permission_sets = ['a b']\n", 2, "must hold API names", ""),
    ("lanes = 'four'\n", 1, "lanes must be a whole number from 1 to 25, not a text", ""),
    ("lanes = true\n", 1, "lanes must be a whole number from 1 to 25, not true", ""),
    ("lanes = 4\nconcurrency = 2\n", 1, "lanes is the old name of concurrency", "Keep one of them"),
    ("concurrency = 99\n", 1, "concurrency must be a whole number from 1 to 25, not 99", ""),
    ("lanes = 99\n", 1, "lanes must be a whole number from 1 to 25, not 99", ""),
    ("read_only = 1\n", 1, "read_only must be true or false, not 1", ""),
    ("environment = 'LIVE'\n", 1, "environment must be one of PRODUCTION, SANDBOX, DEMO, not 'LIVE'", ""),
    ("api_version = '64'\n", 1, "api_version must look like 64.0", ""),
    ("\n[way]\nkind = 'magic'\n", 3, "way.kind must be one of sf, environment", ""),
    ("way = 'sf'\n", 1, "way must be a table, not a text", "Write it as [way]"),
    ("[way]\nkind = 'jwt'\nclient_id = 'x'\nusername = 'y'\n", 1, "way needs key_file", "Add key_file"),
    ("[way]\nkind = 'sf'\nclient_id = 'x'\n", 3, "way.client_id is not a setting", ""),
    (
        "[way]\nkind = 'refresh-token'\nclient_id = 'x'\nrefresh_token = 'hunter2!'\n",
        4,
        "way.refresh_token must say where the secret is kept, not the secret itself",
        "env:NAME",
    ),
    (
        "[way]\nkind = 'jwt'\nlogin_url = 'http://acme.example'\n",
        3,
        "way.login_url must be an https address",
        "",
    ),
    (
        "[method]\nkind = 'apex'\nname = \"a' OR 1\"\nid_input = 'id'\n",
        3,
        "method.name must be an API name",
        "",
    ),
    ("[method]\nkind = 'apexrest'\npath = '../x'\n", 3, "method.path must be a path below", ""),
    ("[mapping]\nobject = 'A B'\n", 2, "mapping.object must be an API name", ""),
    ("[mapping]\nfailed = 'FAILED'\n", 2, "mapping.failed must be a list of texts, not a text", ""),
    ("[mapping]\nfailed = []\n", 2, "mapping.failed must be a list of texts, not a list", ""),
    (
        "[mapping.event_types]\nCreate = 'Creation'\n",
        2,
        "mapping.event_types.Create must be one of Create",
        "",
    ),
    ("lanes = \n", 1, "lanes: this is not TOML", "nothing was changed"),
    ("environment = 'SANDBOX'\n[way\nkind = 'sf'\n", 2, "this is not TOML", ""),
]


@pytest.mark.parametrize(("text", "line", "why", "hint"), WRONG, ids=[why for _, _, why, _ in WRONG])
def test_a_mistake_is_named_with_its_line(tmp_path: Path, text: str, line: int, why: str, hint: str) -> None:
    path = tmp_path / "acme.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BadInputError) as caught:
        read_profile(tmp_path, "acme")
    assert caught.value.title.startswith(f"{path}:{line}: ")
    assert why in caught.value.title
    assert hint in caught.value.hint
    assert "hunter2" not in caught.value.line
    assert path.read_text(encoding="utf-8") == text


def test_a_file_that_is_not_text_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "acme.toml").write_bytes(b"lanes = 4\n# \xff\xfe\n")
    with pytest.raises(BadInputError, match=r"acme\.toml:2: this is not UTF-8"):
        read_profile(tmp_path, "acme")


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "acme.toml").mkdir()
    with pytest.raises(BadInputError, match=r"acme\.toml cannot be read: it is a folder"):
        read_profile(tmp_path, "acme")


def test_a_hand_edited_file_is_never_overwritten_unasked(tmp_path: Path) -> None:
    mine = "# mine\nlanes = 2\n"
    (tmp_path / "acme.toml").write_text(mine, encoding="utf-8")
    with pytest.raises(BadInputError, match="is there already"):
        write_profile(tmp_path, OrgProfile("acme"))
    assert (tmp_path / "acme.toml").read_text(encoding="utf-8") == mine
    write_profile(tmp_path, OrgProfile("acme"), replace=True)
    assert (tmp_path / "acme.toml.old").read_text(encoding="utf-8") == mine
    assert profile_names(tmp_path) == ("acme",)


def test_a_write_that_fails_half_way_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_profile(tmp_path, OrgProfile("acme", concurrency=2))

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(MachineError, match="No space left on device"):
        write_profile(tmp_path, OrgProfile("acme", concurrency=9), replace=True)
    monkeypatch.undo()
    assert read_profile(tmp_path, "acme") == OrgProfile("acme", concurrency=2)
    assert [path.name for path in tmp_path.iterdir()] == ["acme.toml"]


@pytest.mark.parametrize(
    ("url", "good"),
    [
        ("https://acme.my.salesforce.com", True),
        ("http://127.0.0.1:8901", True),
        ("http://localhost:8901/", True),
        ("http://[::1]:8901", True),
        ("http://acme.my.salesforce.com", False),
        ("https://user:pw@acme.example", False),
        ("https://acme.example:99999", False),
        ("https://", False),
        ("ftp://acme.example", False),
        ("https://acme.example?x=1", False),
        ("http://127.0.0.1.evil.example", False),
    ],
)
def test_only_addresses_that_may_get_a_token_are_taken(url: str, good: bool) -> None:
    assert safe_url(url) is good
