from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from syncerr_tui.diagnosis import links

ID = "0015g00000Qr7TbAAJ"


@pytest.mark.parametrize(
    ("instance", "pages"),
    [
        ("https://acme.my.salesforce.com", "https://acme.lightning.force.com"),
        ("https://acme.my.salesforce.com/", "https://acme.lightning.force.com"),
        ("https://ACME.my.salesforce.com", "https://acme.lightning.force.com"),
        ("https://acme--dev.sandbox.my.salesforce.com", "https://acme--dev.sandbox.lightning.force.com"),
        ("https://acme-dev-ed.develop.my.salesforce.com", "https://acme-dev-ed.develop.lightning.force.com"),
        ("https://acme.my.salesforce.mil", "https://acme.lightning.crmforce.mil"),
        ("https://acme.my.sfcrmproducts.cn", "https://acme.lightning.sfcrmapps.cn"),
        ("https://acme.my-salesforce.com", "https://acme.my-lightning.com"),
        ("https://acme.my.salesforce-setup.com", "https://acme.lightning.force.com"),
        ("https://acme.lightning.force.com", "https://acme.lightning.force.com"),
        ("https://na1.salesforce.com", "https://na1.salesforce.com"),
        ("http://acme.my.salesforce.com", "https://acme.lightning.force.com"),
        ("http://127.0.0.1:8765", "http://127.0.0.1:8765"),
        ("http://localhost:8765/", "http://localhost:8765"),
        ("http://[::1]:8765", "http://[::1]:8765"),
        ("https://user:secret@acme.my.salesforce.com", "https://acme.lightning.force.com"),
        ("https://evil.example/my.salesforce.com", "https://evil.example"),
        ("javascript:alert(1)", None),
        ("https://a b.example", None),
        ("https://acme.example:port", None),
        ("", None),
        ("acme.my.salesforce.com", None),
    ],
)
def test_host(instance: str, pages: str | None) -> None:
    assert links.host(instance) == pages


def test_a_record_of_unknown_object_is_opened_on_the_orgs_own_host() -> None:
    path = links.record(ID)
    assert path == f"/{ID}"
    assert links.address(path, "https://acme.my.salesforce.com") == f"https://acme.my.salesforce.com/{ID}"


def test_an_address_without_an_org_is_a_path() -> None:
    assert links.address(links.setup("flows"), None) == "/lightning/setup/Flows/home"
    assert links.address(links.setup("flows"), "nonsense") == "/lightning/setup/Flows/home"


@pytest.mark.parametrize(
    ("text", "full"),
    [
        (ID, ID),
        (ID[:15], ID),
        ("0015g00000Qr7TbAAK", None),
        ("000000000000000", None),
        ("000000000000000AAA", None),
        ("CustomerAccount", None),
        ("", None),
        (f"{ID}/../x", None),
        (f"{ID}\n", None),
    ],
)
def test_full_id(text: str, full: str | None) -> None:
    assert links.full_id(text) == full


def test_paths_of_things() -> None:
    assert links.record(ID, "Account") == f"/lightning/r/Account/{ID}/view"
    assert links.record("0055g00000Qr7Tb") == (
        "/lightning/setup/ManageUsers/page?address=%2F0055g00000Qr7TbAAJ%3Fnoredirect%3D1%26isUserEntityOverride%3D1"
    )
    assert links.flow("3005g00000Qr7Tb") == (
        "/builder_platform_interaction/flowBuilder.app?flowDefId=3005g00000Qr7TbAAJ"
    )
    assert links.flow("3015g00000Qr7TbAAJ").endswith("?flowId=3015g00000Qr7TbAAJ")
    assert links.setup_item("duplicate_rules", "0Bm5g00000Qr7Tb") == (
        "/lightning/setup/DuplicateRules/page?address=%2F0Bm5g00000Qr7TbCAJ%3Fsetupid%3DDuplicateRules"
    )
    assert links.object_page("validation_rules", "s_c__Payment__c") == (
        "/lightning/setup/ObjectManager/s_c__Payment__c/ValidationRules/view"
    )
    rule = links.object_page("validation_rules", "01I5g00000Qr7Tb", "03d5g00000Qr7Tb")
    assert rule.startswith("/lightning/setup/ObjectManager/01I5g00000Qr7Tb/ValidationRules/03d5g00000Qr7Tb")


def test_what_is_no_id_or_name_falls_back_to_the_list() -> None:
    assert links.flow(ID) == links.setup("flows")
    assert links.flow("301") == links.setup("flows")
    assert links.setup_item("apex_triggers", "x' OR 1=1") == links.setup("apex_triggers")
    assert links.object_page("fields", "Order/../../x") == links.setup("object_manager")
    assert links.object_page("fields", None) == links.setup("object_manager")
    assert links.object_page("fields", "Order", "a/b") == links.object_page("fields", "Order")
    assert links.record("nonsense") is None
    assert links.object_list("a b") is None


@given(st.text(max_size=40), st.text(max_size=40))
def test_no_text_breaks_out_of_a_path(first: str, second: str) -> None:
    paths = [
        links.record(first, second),
        links.flow(first),
        links.object_page("fields", first, second),
        links.setup_item("users", first),
        links.object_list(first),
    ]
    for path in paths:
        assert path is None or (
            path.isascii() and path.isprintable() and " " not in path and ".." not in path
        )
