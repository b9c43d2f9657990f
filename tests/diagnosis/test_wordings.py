"""Kinds of wording that the fourth search taught (`scoring.SEARCHED`): each in words of its own."""

from __future__ import annotations

import json
import re
from importlib.resources import files

import pytest

from syncerr_tui.diagnosis.codes import known_codes
from syncerr_tui.diagnosis.explanation import explain_message
from syncerr_tui.diagnosis.guidance_template import plain
from syncerr_tui.diagnosis.model import Automation, Retry
from syncerr_tui.diagnosis.platform_sentences import ANY_CODE, ENTITY, code_of_kind
from syncerr_tui.diagnosis.read import diagnose

APEX = "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"
FLOW = "CANNOT_EXECUTE_FLOW_TRIGGER"
PICKLIST = "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
RULE = "FIELD_CUSTOM_VALIDATION_EXCEPTION"
ACCESS = "INVALID_FIELD_FOR_INSERT_UPDATE"


@pytest.mark.parametrize(
    ("message", "code", "fields"),
    [
        (
            "SObject row was retrieved via SOQL without querying the requested field: Order.Type",
            APEX,
            ["Type"],
        ),
        (
            "System.NullPointerException: Pricebook cannot be null. Class.Shop.price: line 3, column 1",
            APEX,
            [],
        ),
        (
            (
                "Error element Book (FlowRecordUpdate). FIELD_CUSTOM_VALIDATION_EXCEPTION: Too late.\n"
                "Flow Label Name: Book_Slot\nFlow Version Number: 4"
            ),
            "CANNOT_EXECUTE_FLOW_TRIGGER",
            [],
        ),
        (
            "You can't change the Ship Date once it is packed. : [ShipDate__c]",
            RULE,
            ["Ship Date", "ShipDate__c"],
        ),
        ("The nickname is taken by somebody else. : Community Nickname", RULE, ["Community Nickname"]),
        ("Cannot create: cannot specify OwnerId in an insert call", ACCESS, ["OwnerId"]),
        ("Unable to create/update fields: Quantity, Tax__c", ACCESS, ["Quantity", "Tax__c"]),
        ("Delivery city is required when Method is Courier.", RULE, ["Delivery city", "Method"]),
        ("Start date must be before the fair opens", "FIELD_INTEGRITY_EXCEPTION", ["Start date"]),
        ("When the Output Format is PDF, a template has to be chosen.", "INVALID_INPUT", ["Output Format"]),
        ("REQUIRED_FIELD_MISSING: Birthdate", "REQUIRED_FIELD_MISSING", ["Birthdate"]),
        ("INVALID_FIELD_FOR_INSERT_UPDATE, Account.Fax", ACCESS, ["Account.Fax"]),
        ("REQUIRED_FIELD_MISSING: something", "REQUIRED_FIELD_MISSING", []),
        ("FIELD_CUSTOM_VALIDATION_EXCEPTION: Order.Ship_Day__c is over", RULE, ["Ship_Day__c"]),
        ("Ein Wert ist erforderlich", RULE, []),
        ("No more changes while Amount is empty, unless the Stage is Open", RULE, ["Amount", "Stage"]),
        ("Fax required", RULE, ["Fax"]),
        ("Pick-up window must be in the morning", RULE, ["Pick-up window"]),
        ("Cart note can not exceed 9 words", RULE, ["Cart note"]),
        ("Cart number is required for traders.", RULE, ["Cart number"]),
        ("(Database.Error[getFields=(Fax__c);getMessage=Fax must be free;])", RULE, ["Fax__c", "Fax"]),
        ("Closed carts may not be changed", RULE, []),
        ("This cart cannot be sold", RULE, []),
        ("Packed order must be sent", RULE, []),
        ("Die Faxnummer muss mit + beginnen", RULE, ["Faxnummer"]),
        ("Le code postal doit avoir 5 chiffres", RULE, ["code postal"]),
        ("El número de fax es obligatorio", RULE, ["número de fax"]),
        ("Faxnummer is verplicht", RULE, ["Faxnummer"]),
        ("Dieser Datensatz muss geprüft werden", RULE, []),
        ("Cet enregistrement ne peut pas changer", RULE, []),
        ("Fax: Fax must be nonzero: [Fax]", "FIELD_INTEGRITY_EXCEPTION", ["Fax"]),
        ("E, ERROR -- : [CartJob] [Mailers] The cart was lost", RULE, []),
        ("E, ERROR -- : [CartJob] The cart was lost", RULE, []),
        ("FIELD_CUSTOM_VALIDATION_EXCEPTION: Give us a fax with a dialling code [Fax]", RULE, ["Fax"]),
        ("FIELD_CUSTOM_VALIDATION_EXCEPTION: Give us a number with a dialling code [Sic]", RULE, []),
        ("No such column 'Shelf depth' on sobject of type Shelf__c", "INVALID_FIELD", ["Shelf depth"]),
    ],
)
def test_fields(message: str, code: str, fields: list[str]) -> None:
    assert [*diagnose(message, code).fields] == fields


@pytest.mark.parametrize(
    ("message", "objects"),
    [
        (
            (
                "DML operation on setup object is not permitted after you have updated a non-setup object "
                "(or vice versa): PermissionSetAssignment, original object: Contact"
            ),
            ("PermissionSetAssignment", "Contact"),
        ),
        ("without querying the requested field: Shelf__c.Depth__c", ("Shelf__c",)),
        ("The Purchase Order was not written. The Account is on hold.", ("Account",)),
        ("Close the Order first.", ("Order",)),
        # The end of a longer name: a field's, or a list's.
        ("No cart is packed without Second Contact here.", ()),
        ("The Closed Won Opportunities are frozen.", ("Opportunities",)),
        ("Access to entity 'Shelf__c' denied", ("Shelf__c",)),
    ],
)
def test_objects(message: str, objects: tuple[str, ...]) -> None:
    assert diagnose(message, APEX).objects == objects


@pytest.mark.parametrize(
    ("message", "names"),
    [
        # A line end that somebody wrote out, outside of JSON.
        (
            (
                r"CartTrigger: execution of AfterInsert\n\ncaused by: System.MathException: Divide by 0\n\n"
                r"Class.CartTotals.split: line 9, column 1\nTrigger.CartTrigger: line 2, column 1"
            ),
            ["CartTrigger", "CartTotals"],
        ),
        # Cut off behind the name of the class, and within it.
        (
            "PayTrigger: execution of AfterUpdate caused by: System.TypeException: x Class.Pay.boo",
            ["PayTrigger", "Pay"],
        ),
        (
            "PayTrigger: execution of AfterUpdate caused by: System.TypeException: x Class.PayServ",
            ["PayTrigger"],
        ),
        (
            "PayTrigger: execution of AfterUpdate caused by: System.TypeException: x Class.shop.Pa",
            ["PayTrigger"],
        ),
        # The package of a trigger is the package of an exception too, wherever the trigger stands.
        (
            (
                "(Database.Error[getMessage=FizzBuzz.CartTrigger: execution of BeforeUpdate\n\n"
                "caused by: FizzBuzz.Guard.CartException: The cart is closed."
            ),
            ["FizzBuzz.CartTrigger", "FizzBuzz.Guard"],
        ),
        # The rest of the text shows a package that is written in small and capital letters.
        (
            "Shelf.CartAfter: execution of AfterUpdate\n\ncaused by: Shelf.FullException: No room\n\n(Shelf)",
            ["Shelf.CartAfter", "Shelf.FullException"],
        ),
        # No words about an execution, a blank in front of the colon, and an exception of no kind.
        ("post.ParcelTrigger : System.Exception: no stamps", ["post.ParcelTrigger"]),
        ("Something is wrong with ParcelTrigger: System.QueryException: no rows", ["ParcelTrigger"]),
        # Cut off in the middle of the platform's words behind a name.
        (
            "first error: CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY, post.ParcelTrigger: execution of",
            ["post.ParcelTrigger"],
        ),
        (
            "first error: CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY, ParcelTrigger: execution of Bef",
            ["ParcelTrigger"],
        ),
        # A line of a debug log, and one that only looks like its end.
        ("09:18:22.6 (9)|FLOW_ELEMENT_ERROR|No shelf left|FlowRecordCreate|Make_Parcel", ["Make_Parcel"]),
        ("No shelf left|FlowRecordCreate|Make_Parcel", []),
        # Somebody's own quotes inside those of the platform.
        ('We can\'t save this record because the “Ship "Rush" carts” process failed.', ['Ship "Rush" carts']),
        # A broken line between a trigger and what it changed.
        (
            "shop.MailTrigger:\ndata changed by trigger for\nfield Mail Text: data value too large: x",
            ["shop.MailTrigger"],
        ),
    ],
)
def test_automation(message: str, names: list[str]) -> None:
    diagnosis = diagnose(message, APEX).automation
    assert [item.full_name for item in diagnosis] == names


def test_a_value_that_no_date_or_number_can_be_made_of() -> None:
    diagnosis = diagnose("'12.5' is not a valid value for the type xsd:int:Quantity__c --")
    assert (diagnosis.root_code, diagnosis.values, diagnosis.fields) == (
        "INVALID_FIELD",
        ("12.5",),
        ("Quantity__c",),
    )


def test_a_value_of_several_lines_ends_at_its_length() -> None:
    diagnosis = diagnose("Street: data value too large: 1 High Street\nBlock B (max length=9):Street --")
    assert diagnosis.values == ("1 High Street\nBlock B",)
    two = diagnose("Fax: data value too large: 123\nName: data value too large: 456 (max length=2)")
    assert two.values == ("123", "456")


def test_a_rule_s_words_name_their_field_without_a_code_too() -> None:
    assert diagnose("Pick-up window must be in the morning").fields == ("Pick-up window",)
    assert diagnose("We need a Show Close Date here").fields == ("Show Close Date",)


def test_a_code_behind_a_value_is_none_of_it() -> None:
    diagnosis = diagnose("Language: bad value for restricted picklist field: en_X (errorCode: SOME_CODE)")
    assert diagnosis.values == ("en_X",)


def test_what_counts_may_stand_under_another_key_than_message() -> None:
    diagnosis = diagnose('{"message": "Save failed", "error": "Fax: value not of required type: 12a: [Fax]"}')
    assert (diagnosis.root_code, diagnosis.values) == ("INVALID_TYPE_ON_FIELD_IN_RECORD", ("12a",))
    assert diagnose('{"message": "Fax: value not of required type: 7", "error": "see log"}').values == ("7",)


@pytest.mark.parametrize(
    ("message", "root"),
    [
        ("Before creating a custom price, create a standard price", "STANDARD_PRICE_NOT_DEFINED"),
        ("order currency code does not match pricebook entry currency code", "FIELD_INTEGRITY_EXCEPTION"),
        ("Your order must have at least one product.", "FAILED_ACTIVATION"),
        ("TotalRequests Limit exceeded.", "REQUEST_LIMIT_EXCEEDED"),
        ("API is disabled for this User", "API_DISABLED_FOR_ORG"),
        ("storage limit exceeded", "STORAGE_LIMIT_EXCEEDED"),
        ("The new owner must have read permission", "TRANSFER_REQUIRES_READ"),
        (
            "The attempt to delete X could not be completed because it is associated with the following: 1",
            "DELETE_FAILED",
        ),
        (
            (
                "ShelfTrigger: execution of AfterUpdate caused by: System.QueryException: "
                "No such column 'Fax' on entity 'Shelf__c'."
            ),
            APEX,
        ),
        ("System.QueryException: No such column 'Fax' on entity 'Shelf__c'.", "INVALID_FIELD"),
        (
            "This error occurred when the flow tried to delete records: System.TypeException: Bad integer",
            "CANNOT_EXECUTE_FLOW_TRIGGER",
        ),
        ("La entidad está bloqueada para edición", "ENTITY_IS_LOCKED"),
        ("Cannot submit object already in process.", "ALREADY_IN_PROCESS"),
        (
            "Object (id = a0X) is currently in trigger Tally, therefore it cannot recursively update itself",
            "SELF_REFERENCE_FROM_TRIGGER",
        ),
        (
            "DML operation on setup object is not permitted after you have updated a non-setup object",
            "MIXED_DML_OPERATION",
        ),
        ("403 Forbidden: Session expired or invalid", "INVALID_SESSION_ID"),
        ("Your query request was running for too long.", "QUERY_TIMEOUT"),
        ("Updates can't be made during maintenance.", "INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE"),
        (
            "Provided external ID field does not exist or is not accessible: Web_Key__c",
            "NOT_FOUND",
        ),
        ("Owner ID: id value of incorrect type: 0015g00000Ty7WcAAJ", "FIELD_INTEGRITY_EXCEPTION"),
        ("Owner ID: id value of incorrect type: n/a", "MALFORMED_ID"),
        (
            "CreatedDate: There's a problem with this country, even though it may ap",
            "FIELD_INTEGRITY_EXCEPTION",
        ),
        (
            "Rolled back because not all records were valid and the request was using AllOrNone",
            "ALL_OR_NONE_OPERATION_ROLLED_BACK",
        ),
        ("You can't save this record because a duplicate record already exists.", "DUPLICATES_DETECTED"),
        ("Update failed: insufficient access rights on object", "INSUFFICIENT_ACCESS_OR_READONLY"),
        ("You don't have access to this record. Ask your administrator for help.", "INSUFFICIENT_ACCESS"),
        (
            (
                "We can't save this record because the “Seats” process failed. This error occurred when "
                "the flow tried to create records: Tally: execution of BeforeInsert"
            ),
            APEX,
        ),
        ("Es fehlen Pflichtfelder: [Firma]", "REQUIRED_FIELD_MISSING"),
        ("缺少必要欄位： [Firma__c]", "REQUIRED_FIELD_MISSING"),
        ("无法创建／更新字段：Firma__c。请检查此字段的安全设置。", "INVALID_FIELD_FOR_INSERT_UPDATE"),
        ("ID do proprietário: proprietário não pode ficar em branco.", "INVALID_CROSS_REFERENCE_KEY"),
        ("Duplicate orders are merged at night, please wait.", None),
        ("The flow of goods was interrupted", None),
        ("Picklist: choose a reason first", None),
        ("Something made up: the shop is closed", None),
        ("Die erforderlichen Felder fehlen: [Fax]", "REQUIRED_FIELD_MISSING"),
        ("値を入力してください: Fax", "REQUIRED_FIELD_MISSING"),
        ("entité supprimée", "ENTITY_IS_DELETED"),
        ("无效的交叉参考 ID", "INVALID_CROSS_REFERENCE_KEY"),
        ("unexpected token: Gold", "MALFORMED_QUERY"),
        ("Too many lock failure 200 Trying again later.", "UNABLE_TO_LOCK_ROW"),
        ("Duplicate external id specified: shop-7", "DUPLICATE_VALUE"),
        ("invalid session id found in SessionHeader", "INVALID_SESSION_ID"),
        ("Pays: un problème est survenu dans ce pays", "FIELD_INTEGRITY_EXCEPTION"),
        ("You do not have access to the Apex class named: SeatDesk", "INSUFFICIENT_ACCESS"),
        ("Operation failed due to fields being inaccessible on Sobject Shelf__c", "INSUFFICIENT_ACCESS"),
        # A query of the trigger's own, not of who reads through the API.
        (
            "Tally: execution of AfterUpdate caused by: System.QueryException: unexpected token: Gold",
            APEX,
        ),
        ("Une exception inconnue s'est produite", "UNKNOWN_EXCEPTION"),
    ],
)
def test_codes_from_the_wording(message: str, root: str | None) -> None:
    assert diagnose(message).root_code == root


def steps_of(message: str, code: str) -> str:
    """What is said about a message that is one failure: headline, reason and steps."""
    (item,) = explain_message(message, code, object_name="Order").failures
    guidance = item.guidance
    return plain("\n".join((guidance.headline, guidance.why, *(step.text for step in guidance.steps))))


@pytest.mark.parametrize(
    ("message", "code", "words", "unsaid"),
    [
        # What made the refused write is the innermost, be it a Flow or a trigger.
        (
            (
                "CANNOT_EXECUTE_FLOW_TRIGGER, We can't save this record because the “Seats” process failed. "
                "This error occurred when the flow tried to update records: "
                "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY: SeatTrigger: execution of BeforeUpdate "
                "caused by: System.DmlException: Update failed. First exception on row 0; first error: "
                "FIELD_CUSTOM_VALIDATION_EXCEPTION, Fax must start with +: [Fax]"
            ),
            FLOW,
            "The trigger SeatTrigger was stopped by",
            "The Flow Seats was stopped",
        ),
        (
            (
                "SeatTrigger: execution of BeforeInsert caused by: System.SecurityException: "
                "DML operation INSERT not allowed on Seat__c"
            ),
            APEX,
            "The Apex trigger SeatTrigger may not see or write something",
            "developer",
        ),
        ("Operation failed", APEX, "or a missing permission", "The Apex"),
        (
            "Apex CPU time limit exceeded",
            "UNKNOWN_EXCEPTION",
            "Automation ran into one of Salesforce's limits during the save: Apex CPU time.",
            "does not explain",
        ),
        (
            "An error occurred when executing a flow interview.",
            "UNKNOWN_EXCEPTION",
            "A Flow failed in a way that Salesforce does not explain.",
            "validation rule",
        ),
        # The first step has to be the one that helps: no permission opens an active order or moves a child.
        (
            "You can't edit this order because it's been activated.",
            "INSUFFICIENT_ACCESS_OR_READONLY",
            "“Edit Activated Orders”",
            "Grant",
        ),
        (
            "Unable to update fields: Shelf__c on a master-detail relationship that can't be reparented",
            "FIELD_NOT_UPDATABLE",
            "Open the field Shelf__c and tick “Allow reparenting”",
            "permission set",
        ),
        (
            "You do not have access to the Apex class named: SeatDesk",
            "INSUFFICIENT_ACCESS",
            "under Apex Class Access",
            "Grant",
        ),
        (
            "An Apex error occurred: System.CalloutException: Read timed out",
            FLOW,
            "whether the call for this record arrived",
            "Correct the Flow",
        ),
        (
            "An error occurred at element Delete_2.",
            FLOW,
            "Look at the element Delete_2",
            "Find the element",
        ),
        (
            "Error: Validation error on Order: Name a shelf first. []",
            RULE,
            "with the error message “Name a shelf first”",
            "Validation error on",
        ),
        (
            "System.LimitException: Límite de CPU de Apex superado",
            APEX,
            "Apex code refused the record. It ran into a limit: Apex CPU time.",
            "permission",
        ),
        (
            "07:08:09.12 (3456)|FATAL_ERROR|System.LimitException: shop:Too many SOQL queries: 101",
            "LIMIT_EXCEEDED",
            "“System.LimitException: shop:Too many SOQL queries: 101”",
            "FATAL_ERROR",
        ),
        (
            "'1.299,00' is not a valid value for the type xsd:double",
            "INVALID_FIELD",
            "wrong form: 1.299,00",
            "parent",
        ),
        (
            "Only a field of the lookup itself can be sent",
            "INVALID_FIELD",
            "“Only a field of the lookup",
            "parent",
        ),
        (
            "INVALID_FIELD: No such column 'Fax' on entity 'Shelf__c'",
            "INVALID_FIELD",
            "on Shelf__c",
            "on Order",
        ),
        (
            "Unable to create/update fields: CreatedById, Tax__c",
            ACCESS,
            "No permission lets anybody",
            "on Order",
        ),
        (
            "Tax__c is frozen while an invoice is open: [Tax__c]",
            ACCESS,
            "Take that obstacle away",
            "set read and edit",
        ),
        (
            "Unable to create/update fields: Tax__c.",
            ACCESS,
            "permission set read and edit access to Tax__c",
            "obstacle",
        ),
        (
            "",
            "TRANSFER_REQUIRES_READ",
            "choose another owner",
            "Open the permission sets of the StoreConnect",
        ),
        ("", "API_DISABLED_FOR_ORG", "“API Enabled”", "rights on the object"),
        ("", "CIRCULAR_DEPENDENCY", "circle", "Setup"),
        (
            "Account: bad field names on insert/update call: Suffix",
            ACCESS,
            "person account",
            "kind of the field",
        ),
        (
            "Contact: bad field names on insert/update call: Suffix",
            ACCESS,
            "kind of the field",
            "person account",
        ),
        (
            "The work order is closed already",
            "INVALID_OPERATION",
            "“The work order is closed already”",
            "Setup",
        ),
        ("It is referenced elsewhere.", "DEPENDENCY_EXISTS", "related lists", "Setup"),
        (
            "SendEmail failed. First exception on row 0; first error: INSUFFICIENT_ACCESS_OR_READONLY, x",
            "INSUFFICIENT_ACCESS_OR_READONLY",
            "what sends the e-mail",
            "Grant",
        ),
        (
            "PricebookEntryId (pricebook entry has been archived)",
            "FIELD_INTEGRITY_EXCEPTION",
            "price book entries: price book, currency, active",
            "what it objects to",
        ),
        (
            "Operation failed due to fields being inaccessible on Sobject Cart__c",
            "UNKNOWN_EXCEPTION",
            "Cart__c",
            "debug",
        ),
        (
            "unable to obtain exclusive access to this record",
            "UNABLE_TO_LOCK_ROW",
            "the record and its parent",
            "names",
        ),
        (
            "Required fields are missing: [Name, Status]",
            "REQUIRED_FIELD_MISSING",
            "a default value",
            "of Salesforce",
        ),
        (
            "Required fields are missing: [Name, LastName]",
            "REQUIRED_FIELD_MISSING",
            "are fields of Salesforce",
            "default",
        ),
        (
            "Required fields are missing: [Opportunity Name]",
            "REQUIRED_FIELD_MISSING",
            "cannot be made optional",
            "Give",
        ),
        (
            "This error occurred when the flow tried to look: MALFORMED_QUERY: unexpected token: Gold",
            "CANNOT_EXECUTE_FLOW_TRIGGER",
            "“unexpected token: Gold”",
            "a parent",
        ),
        (
            (
                "Error element Pay (FlowRecordCreate).\nINSERT FAILED: (FIELD_CUSTOM_VALIDATION_EXCEPTION)\n"
                "Paid twice, says the till : [Paid__c]"
            ),
            "CANNOT_EXECUTE_FLOW_TRIGGER",
            "“Paid twice, says the till”",
            "INSERT",
        ),
        (
            (
                "Database.Error[getFields=(Fax);getMessage=The fax is out of order;getStatusCode="
                "FIELD_CUSTOM_VALIDATION_EXCEPTION;]);getId=null;isSuccess=false;]"
            ),
            RULE,
            "“The fax is out of order”",
            "isSuccess",
        ),
        (
            "ShelfTrigger: data changed by trigger for field Fax: data value too large: 12345 (max length=4)",
            APEX,
            "Open the trigger ShelfTrigger",
            "fewer records",
        ),
        (
            "operation performed with inactive user [0055g00000HbQrsAAF] as owner of order",
            "CANNOT_REPARENT_RECORD",
            "look at its owner",
            "record 0055g00000HbQrsAAF",
        ),
        ("Required fields are missing: [Pricebook2Id]", "REQUIRED_FIELD_MISSING", "of Salesforce", "default"),
        (
            "Failed with code FIELD_CUSTOM_VALIDATION_EXCEPTION. Message: The fax is full. Fields: [Fax__c]",
            RULE,
            "“The fax is full”",
            "Message:",
        ),
        (
            'There were custom errors. The first validation error encountered was "The fax rests.".',
            RULE,
            "“The fax rests”",
            "encountered",
        ),
        ("&lt;b&gt;Stop&lt;/b&gt;: The fax is full", RULE, "“Stop: The fax is full”", "<b>"),
        ("The fax is full\\n", RULE, "“The fax is full”", "\\n"),
        ("Le fax est plein. ID d'erreur : 882713-12 (-7781)", RULE, "“Le fax est plein”", "882713"),
        (
            "POST /sobjects/Order/s_c__sC_Id__c/x -- FIELD_CUSTOM_VALIDATION_EXCEPTION: The fax is full",
            RULE,
            "“The fax is full”",
            "sC_Id__c",
        ),
    ],
)
def test_guidance(message: str, code: str, words: str, unsaid: str) -> None:
    text = steps_of(message, code)
    assert words in text
    assert unsaid not in text


def test_an_order_without_products_waits_for_them() -> None:
    (item,) = explain_message("Each order must have at least one product.", "FAILED_ACTIVATION").failures
    assert item.guidance.retry is Retry.CAUSE_FIRST
    assert "Order Products" in item.guidance.steps[0].text


@pytest.mark.parametrize(
    "message",
    [
        "STRING_TOO_LONG\nFax: data value too large: 0123456789 (max length=8)",
        "exceptionCode='INVALID_FIELD'\nexceptionMessage='\nFax\n^\nNo such column 'Fax' on entity 'Case'.",
        (
            "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY: shop.MailTrigger: data changed by trigger for\nfield Fax: "
            "value not of required type: x"
        ),
    ],
)
def test_a_code_and_its_own_sentence_in_the_next_line_are_one_failure(message: str) -> None:
    assert len(diagnose(message).failures) == 1


def test_the_given_code_is_that_of_the_failure_whose_words_imply_it() -> None:
    diagnosis = diagnose(
        "Required fields are missing: [Name]; Box: bad value for restricted picklist field: Red: [Box__c]",
        "REQUIRED_FIELD_MISSING",
    )
    assert [failure.root_code for failure in diagnosis.failures] == [
        "REQUIRED_FIELD_MISSING",
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
    ]


def test_another_code_in_the_next_line_is_another_failure() -> None:
    diagnosis = diagnose("STRING_TOO_LONG: Fax: data value too large: 1\nRequired fields are missing: [Name]")
    assert [failure.root_code for failure in diagnosis.failures] == [
        "STRING_TOO_LONG",
        "REQUIRED_FIELD_MISSING",
    ]


PLAIN = "Fax: value outside of valid range on numeric field: 123: [Fax__c]"


@pytest.mark.parametrize(
    "message",
    [
        f"[NUMBER_OUTSIDE_VALID_RANGE] {PLAIN}",
        f"Error: {PLAIN}",
        f"{PLAIN} Error ID: 1064190376-681258 (954367962)",
        f"<p>{PLAIN}</p>",
        "<div>Fax: value outside of valid range on numeric field: 123</div><p>[Fax__c]</p>",
        json.dumps([{"message": PLAIN, "errorCode": "NUMBER_OUTSIDE_VALID_RANGE", "fields": []}]),
        json.dumps({"error": json.dumps([{"message": PLAIN, "errorCode": "NUMBER_OUTSIDE_VALID_RANGE"}])}),
    ],
)
def test_what_stands_around_a_message_changes_nothing(message: str) -> None:
    diagnosis = diagnose(message, "NUMBER_OUTSIDE_VALID_RANGE")
    assert (diagnosis.root_code, diagnosis.values) == ("NUMBER_OUTSIDE_VALID_RANGE", ("123",))
    assert set(diagnosis.fields) == {"Fax", "Fax__c"}
    assert len(diagnosis.failures) == 1


def test_the_tail_with_an_error_id_is_no_value_and_no_reason() -> None:
    diagnosis = diagnose(
        "Fax: bad value for restricted picklist field: None Error ID: 1064190376-681258 (954367962)"
    )
    assert (diagnosis.values, diagnosis.error_id) == (("None",), "1064190376-681258 (954367962)")


def test_a_code_beside_a_json_message_is_around_the_codes_in_it() -> None:
    inner = "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY: PayTrigger: execution of AfterInsert"
    message = json.dumps({"message": inner, "errorCode": "CANNOT_EXECUTE_FLOW_TRIGGER"})
    assert diagnose(message).root_code == APEX


def test_escapes_of_json_hide_no_id_and_no_internal_error() -> None:
    diagnosis = diagnose(json.dumps({"message": "Look at\n0015g00000Qr7TbAAJ"}))
    assert diagnosis.record_ids == ("0015g00000Qr7TbAAJ",)
    text = (
        "An unexpected error occurred.\nPlease include this ErrorId if you contact us: 648718192-2424 (-31)"
    )
    assert diagnose(json.dumps({"message": text}), "UNKNOWN_EXCEPTION").transient


def test_fields_beside_a_json_message_are_none_of_its_words() -> None:
    message = (
        '[{"message": "Required field missing: Fax", "errorCode": "REQUIRED_FIELD_MISSING", "fields": []}]'
    )
    assert diagnose(message).fields == ("Fax",)


@pytest.mark.parametrize(
    ("text", "root", "fields"),
    [
        ("Required fields are missing: Fax, Ema", "REQUIRED_FIELD_MISSING", ("Fax",)),
        (
            "This error occurred when the flow tried to go: NUMBER_OUTSIDE_VAL",
            "NUMBER_OUTSIDE_VALID_RANGE",
            (),
        ),
        ("This error occurred when the flow tried to go: INVALID_CR", "CANNOT_EXECUTE_FLOW_TRIGGER", ()),
    ],
)
def test_a_name_that_the_message_breaks_off_in(text: str, root: str, fields: tuple[str, ...]) -> None:
    message = ("word " * 60)[len(text) - 255 :] + text
    diagnosis = diagnose(message)
    assert diagnosis.cut
    assert (diagnosis.root_code, diagnosis.fields) == (root, fields)


@pytest.mark.parametrize(
    ("message", "field"),
    [
        ('INSUFFICIENT_ACCESS: insufficient privileges. Field "OwnerId"', "OwnerId"),
        ('Please fill in the field "Shipping Method" before saving', "Shipping Method"),
        ("The “Tax Code” field is only for wholesale orders.", "Tax Code"),
        ('Bitte das Feld "Versandart" ausfüllen.', "Versandart"),
        ("Le champ « Mode d'envoi » ne peut pas rester vide.", "Mode d'envoi"),
        ("El campo 'Código postal' solo admite números", "Código postal"),
        ("「配送方法」項目を入力してください", "配送方法"),
    ],
)
def test_a_quoted_name_beside_the_word_field_is_a_field(message: str, field: str) -> None:
    assert diagnose(message, "FIELD_CUSTOM_VALIDATION_EXCEPTION").fields == (field,)


@pytest.mark.parametrize(
    "message",
    [
        'Status: bad value for restricted picklist field: "Shipped"',
        'The Status field contains "Shipped", which isn\'t allowed',
        'No custom field of the "Order" object may be empty',
    ],
)
def test_a_quoted_value_behind_the_word_field_is_no_field(message: str) -> None:
    assert not {"Shipped", "Order"} & set(diagnose(message).fields)


@pytest.mark.parametrize(
    "message",
    [
        "Dienst: Datenwert zu groß: AAAAAA (maximale Länge=4): [Dienst__c]",
        "Servicio: valor de datos demasiado grande: AAAAAA (longitud máxima=4)",
        "Servizio: valore dati troppo grande: AAAAAA (lunghezza massima=4)",
    ],
)
def test_a_longest_length_is_a_limit_in_every_language(message: str) -> None:
    diagnosis = diagnose(message, "STRING_TOO_LONG")
    assert (diagnosis.values, diagnosis.limit) == (("AAAAAA",), "max length: 4")


def test_other_figures_in_brackets_are_no_length() -> None:
    assert diagnose("Call to the tax service failed (HTTP status=500)").limit is None


@pytest.mark.parametrize(
    ("message", "given", "root"),
    [
        (
            (
                "Tally: execution of AfterInsert caused by: System.DmlException: Insert failed. "
                "First exception on row 0; first error: Required fields are missing: [Seat__c]"
            ),
            APEX,
            "REQUIRED_FIELD_MISSING",
        ),
        ("Tier: bad value for restricted picklist field: Tin", "UNKNOWN_EXCEPTION", PICKLIST),
        (
            (
                "We can't save this record because the “Seats” process failed. This error occurred when the "
                "flow tried to create records: insufficient access rights on cross-reference id."
            ),
            FLOW,
            "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY",
        ),
        # Apex that broke by itself, and a trigger that wrote what was refused, are what has to be mended.
        ("Tally: execution of AfterInsert caused by: System.NullPointerException: x", APEX, APEX),
        ("Tally: data changed by trigger for field Fax: data value too large: 1", APEX, APEX),
        ("An unhandled fault has occurred in this flow", FLOW, FLOW),
        # Words of a rule say too little to overrule a code.
        ("Fax can't be blank", APEX, APEX),
        ('Error Occurred During Flow "Seats": No applicable approval process was found.', FLOW, FLOW),
    ],
)
def test_the_wording_tells_the_root_where_the_code_is_a_wrapper(message: str, given: str, root: str) -> None:
    diagnosis = diagnose(message, given)
    assert (diagnosis.root_code, diagnosis.inferred) == (root, root != given)


def test_a_trigger_that_comes_back_to_its_record_is_named_and_a_class_of_a_code_is_not() -> None:
    message = (
        "Object (id = a0X) is currently in trigger acme.Tally, therefore it cannot recursively update itself"
    )
    assert diagnose(message).automation == (Automation("trigger", "Tally", "acme"),)
    assert diagnose("StatusCode.FieldIntegrityException: no").automation == ()


@pytest.mark.parametrize(
    ("message", "codes"),
    [
        ("Restforce::ErrorCode::FieldCustomValidationException: Kein Rabatt", (RULE,)),
        ("throw new SaveError(StatusCode.DuplicateValue)", ("DUPLICATE_VALUE",)),
        ("Restforce::ErrorCode::StandardError, ErrorCode::Validation, StatusCode.Value.of", ()),
        ("first error: FIELD_CUSTOM_VALIDATION_EXC", (RULE,)),
        ("first error: FIELD_", ()),
        ("first error: INVALID_FIELD", ("INVALID_FIELD",)),
    ],
)
def test_codes_as_clients_name_their_classes_and_cut_off(message: str, codes: tuple[str, ...]) -> None:
    assert diagnose(message).codes == codes


def test_every_sentence_means_a_code_or_is_of_a_kind_that_guidance_asks_for() -> None:
    folder = files("syncerr_tui.diagnosis").joinpath("catalog")
    texts = [item.read_text(encoding="utf-8") for item in folder.iterdir() if item.name.endswith(".toml")]
    asked_for = {kind for text in texts for kind in re.findall(r'"([a-z][a-z ]+)"', text)}
    for table in folder.joinpath("sentences").iterdir():
        for line in table.read_text(encoding="utf-8").splitlines():
            if line and not line.startswith("#") and table.name != "kinds.tsv":
                kind, sentence, _seen = line.split("\t")
                assert kind in code_of_kind().keys() | asked_for | {ENTITY}, (table.name, sentence)
    assert set(code_of_kind().values()) - {ANY_CODE} <= known_codes()
