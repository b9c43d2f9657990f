"""The code behind a text that names none, where the platform's wording makes it certain enough.

Each row is a code and what its own texts say, all words of a row's alternative in lower case. The first
that fits wins, so what is more special stands above. Free text of an org's own rules gives no code away and
is left alone, but for the sentences of required fields that such rules are mostly written for.
"""

from __future__ import annotations

from syncerr_tui.diagnosis.codes import APEX, FLOW_TRIGGER, LOCK_ROW, UNKNOWN

_WORDING: tuple[tuple[str, tuple[str, ...]], ...] = (
    (LOCK_ROW, ("unable to obtain exclusive access", "is currently being modified by another user")),
    (
        "DUPLICATES_DETECTED",
        ("creating a duplicate", "use one of these records?", "duplicate alert", "duplicate record"),
    ),
    (
        "DUPLICATE_VALUE",
        ("duplicate value found", "unique column has a duplicate value", "duplicates value on record"),
    ),
    ("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", ("bad value for restricted picklist field",)),
    (
        "FIELD_INTEGRITY_EXCEPTION",
        (
            "isn't an available state",
            "isn't an available country",
            "isn’t an available",
            "id value of incorrect type",
            "field integrity exception",
            "modify activated order",
            "problem with this state",
            "problem with this country",
            "recognize the state value",
        ),
    ),
    (
        "REQUIRED_FIELD_MISSING",
        ("required fields are missing", "required field is missing", "required field missing"),
    ),
    (
        "INVALID_FIELD",
        (
            "foreign key external id",
            "no such column",
            "field name not found",
            "bad field names on insert/update call",
            "does not match an external id",
            "cannot specify both an external id",
        ),
    ),
    ("INVALID_CROSS_REFERENCE_KEY", ("invalid cross reference id", "owner cannot be blank")),
    ("INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", ("insufficient access rights on cross-reference id",)),
    ("INSUFFICIENT_ACCESS_OR_READONLY", ("insufficient access rights on object id",)),
    ("CANNOT_REPARENT_RECORD", ("cannot reparent", "owner is inactive", "define a new parent record")),
    ("INACTIVE_OWNER_OR_USER", ("operation performed with inactive user",)),
    ("EMAIL_ADDRESS_BOUNCED", ("bounced",)),
    ("EMAIL_TEMPLATE_MERGEFIELD_ERROR", ("recognize the field prefix", "merge field")),
    ("INVALID_EMAIL_ADDRESS", ("invalid email address", "email address is invalid")),
    (
        "ENTITY_IS_LOCKED",
        (
            "locked for editing",
            "edit a locked object",
            "entity is locked",
            "locked for approval",
            "record is locked",
            "modify activated or superseded",
        ),
    ),
    ("ENTITY_IS_DELETED", ("entity is deleted",)),
    ("FAILED_ACTIVATION", ("activation of a contract failed", "valid contract status")),
    ("INVALID_CHANGE_EVENT", ("previous change for the same record",)),
    (
        "FIELD_FILTER_VALIDATION_EXCEPTION",
        ("does not match filter criteria", "not exist or does not match filter"),
    ),
    ("INVALID_FIELD_FOR_INSERT_UPDATE", ("unable to create/update fields",)),
    ("STRING_TOO_LONG", ("data value too large",)),
    ("NUMBER_OUTSIDE_VALID_RANGE", ("value outside of valid range on numeric field",)),
    (
        FLOW_TRIGGER,
        (
            "give your salesforce admin these details",
            "save this record because the ",
            "failed to trigger a flow",
            "the flow failed to access the value",
            "unhandled fault has occurred in this flow",
            "error occurred at element",
        ),
    ),
    (
        APEX,
        (
            "execution of before",
            "execution of after",
            "apex trigger ",
            "record type missing for",
            "entity type cannot be",
        ),
    ),
    (
        UNKNOWN,
        (
            "an unexpected error occurred. please include this errorid",
            "error occurred when executing a flow interview",
            "unknown exception occurred",
        ),
    ),
    (
        "FIELD_CUSTOM_VALIDATION_EXCEPTION",
        (
            "this field is required",
            "you must enter a value",
            "can't be blank",
            "cannot be blank",
            "is blank. either",
            "validation rule is preventing",
        ),
    ),
)


def code_from_wording(text: str) -> str | None:
    """The code that the wording gives away; None where that would be a guess."""
    lowered = text.lower()
    for code, phrases in _WORDING:
        for phrase in phrases:
            if phrase in lowered:
                return code
    return None
