"""Which rule a message means, and which value set a field has."""

from __future__ import annotations

import pytest

from syncerr_tui.salesforce.fix_safeguards import _stands_in, table_key

RULE = "A tax number has eleven digits; leave it empty for private customers."


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (RULE, True),
        (f"FIELD_CUSTOM_VALIDATION_EXCEPTION, {RULE}: [Tax_Number__c]", True),
        ("FIELD_CUSTOM_VALIDATION_EXCEPTION, A tax number has eleven digits; lea", True),
        ("FIELD_CUSTOM_VALIDATION_EXCEPTION, A tax number has eleven digits; lea…", True),
        ("FIELD_CUSTOM_VALIDATION_EXCEPTION, A tax", False),
        ("Another message.", False),
        ("", False),
    ],
)
def test_a_rules_message_may_be_cut_off(message: str, expected: bool) -> None:
    assert _stands_in(RULE, message, 1) is expected


def test_a_short_message_of_another_object_means_nothing() -> None:
    assert _stands_in("Required", "Required fields are missing", 1)
    assert not _stands_in("Required", "Required fields are missing", 20)
    assert not _stands_in("", "anything", 1)


def test_a_rules_object_is_known_by_its_whole_name_and_by_ids_of_either_length() -> None:
    assert table_key("OpportunityLineItem") != table_key("OpportunityLineItemSchedule")
    assert table_key("01I5g000000AbCd") == table_key(table_key("01I5g000000AbCd"))
    assert len(table_key("01I5g000000AbCd")) == 18
