"""What an answer of Lightning's endpoint proves: above all, that nothing ran."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from syncerr_tui.salesforce.button.lightning import AuraOutcome, read_aura_answer

NO_CLASS = "You do not have access to the Apex class named 's_c.SyncErrorController'."
NO_ACTION = "Unable to find action 'ACTION$resync' on the controller of s_c:syncErrors"


def failed(message: str) -> dict[str, object]:
    return {"id": "1;a", "state": "ERROR", "error": [{"message": message}]}


def system_error(message: str) -> dict[str, object]:
    values = {"error": {"message": message}}
    event = {"descriptor": "markup://aura:systemError", "attributes": {"values": values}}
    return {"id": "1;a", "state": "ERROR", "error": [{"event": event}]}


def outcome_of(**answer: object) -> AuraOutcome:
    return read_aura_answer(200, json.dumps(answer), "1;a").outcome


@pytest.mark.parametrize("action", [failed, system_error])
@pytest.mark.parametrize(
    ("message", "outcome"),
    [
        (NO_CLASS, AuraOutcome.NO_ACCESS),
        (NO_ACTION, AuraOutcome.NO_SUCH_ACTION),
        ("Row 3 of 5: insufficient privileges", AuraOutcome.UNCLEAR),
        ("INSUFFICIENT_ACCESS_OR_READONLY: no access to entity", AuraOutcome.UNCLEAR),
        (f"2 rows were queued. {NO_CLASS}", AuraOutcome.UNCLEAR),
        ("Unable to find action for the event type Merge", AuraOutcome.UNCLEAR),
    ],
)
def test_only_the_framework_s_own_sentence_proves_that_nothing_ran(
    action: Callable[[str], object], message: str, outcome: AuraOutcome
) -> None:
    assert outcome_of(actions=[action(message)]) is outcome


@pytest.mark.parametrize("name", ["clientOutOfSync", "invalidSession", "noAccess"])
def test_an_answer_that_tells_of_the_call_is_no_proof_that_nothing_ran(name: str) -> None:
    event = {"descriptor": f"markup://aura:{name}"}
    ran = {"id": "1;a", "state": "SUCCESS", "returnValue": None}
    assert outcome_of(actions=[ran], event=event) is AuraOutcome.RETURNED
    assert outcome_of(actions=[], event=event) is not AuraOutcome.RETURNED
