"""Kinds of messages that were once answered wrongly: no wrong statement, no lost name, no false cure."""

from __future__ import annotations

import json

import pytest

from syncerr_tui.diagnosis.explanation import Explanation, OrgContext, explain_message
from syncerr_tui.diagnosis.guidance_template import plain
from syncerr_tui.diagnosis.model import Retry
from syncerr_tui.diagnosis.platform_sentences import code_of_kind
from syncerr_tui.diagnosis.read import diagnose
from syncerr_tui.diagnosis.render import retry_words

ORDER, ITEM, USER = "8015g00000Vb4QaAAJ", "8025g00000Ty7WkAAJ", "0055g00000HbQrsAAF"
APEX = "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"


def everything(explanation: Explanation) -> str:
    """All that is said, without the marks of names."""
    texts = []
    for item in explanation.failures:
        guidance = item.guidance
        texts += [guidance.headline, guidance.why, guidance.afterwards, *guidance.checks, *guidance.put_back]
        texts += [f"{step.text} {step.address or ''}" for step in guidance.steps]
    return plain("\n".join(texts))


@pytest.mark.parametrize(
    "message",
    [
        "InvoiceTrigger: execution of BeforeInsert caused by: System.ListException: Duplicate id in list: x",
        "T: execution of AfterUpdate caused by: BillingService.DuplicateInvoiceException: already billed",
        "T: execution of AfterInsert caused by: DuplicateGuard.GuardException: record type is not supported",
    ],
)
def test_words_of_a_class_or_an_exception_switch_no_duplicate_rule_off(message: str) -> None:
    text = everything(explain_message(message, APEX))
    assert "duplicate rule" not in text.lower()
    assert "DuplicateRules" not in text and "RecordTypes" not in text


def test_a_record_type_that_a_user_lacks_is_no_deleted_record() -> None:
    for message in (
        "INVALID_CROSS_REFERENCE_KEY, Type: this ID value isn’t valid for the user: 0125g0000008UgcAAE",
        "Registro: this ID value isn't valid for the user: 0125g0000008UgcAAE: [RecordTypeId]",
    ):
        text = everything(explain_message(message, object_name="Order"))
        assert "may not use the record type" in text
        assert "Recycle Bin" not in text and "deleted" not in text


@pytest.mark.parametrize(
    ("message", "root"),
    [
        ("Verplichte velden ontbreken: [Name]", "REQUIRED_FIELD_MISSING"),
        ("Champs obligatoires manquants : [LastName, Email]", "REQUIRED_FIELD_MISSING"),
        ("Nom: valeur de données trop grande: abc (longueur max.=2)", "STRING_TOO_LONG"),
        ("Möchten Sie einen dieser Datensätze verwenden?", "DUPLICATES_DETECTED"),
        ("Utilizzare uno di questi record?", "DUPLICATES_DETECTED"),
        ("Questo record è bloccato. Per modificarlo contatta l’amministratore.", "ENTITY_IS_LOCKED"),
        ("não é possível obter acesso exclusivo a este registro ou a 2 registros", "UNABLE_TO_LOCK_ROW"),
        ("色: 制限つき選択リスト項目の値が不適切: 藤色", "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
        ("このレコードはロックされています。", "ENTITY_IS_LOCKED"),
        ("ID di riferimento incrociato non valido", "INVALID_CROSS_REFERENCE_KEY"),
        ("derechos de acceso insuficientes en el ID de objeto", "INSUFFICIENT_ACCESS_OR_READONLY"),
        ("De stand van de bestelling klopt niet met het magazijn", None),
    ],
)
def test_the_platforms_sentences_are_known_in_its_languages_and_nothing_is_guessed(
    message: str, root: str | None
) -> None:
    assert diagnose(message).root_code == root


def test_a_lock_in_another_language_may_pass_and_what_is_not_known_promises_nothing() -> None:
    assert explain_message("accès exclusif à cet enregistrement impossible").retry is Retry.JUST_RETRY
    from syncerr_tui.diagnosis.render import explanation_lines

    shown = " ".join(line.text for line in explanation_lines(explain_message("全く別の文"), 80))
    assert "will fail again" not in shown


def test_a_flow_in_japanese_keeps_its_name_and_its_rule_text() -> None:
    message = (
        "「受注 – 配送」処理失敗により、レコードを保存できません。"
        "Salesforce システム管理者に次の詳細を報告してください。"
        "FIELD_CUSTOM_VALIDATION_EXCEPTION:出荷日は必須です。"
        "ExceptionCode の値については、『SOAP API 開発者ガイド』を参照してください。"
    )
    diagnosis = diagnose(message)
    assert [thing.name for thing in diagnosis.automation] == ["受注 – 配送"]
    headline = explain_message(message).headline
    assert "出荷日は必須です" in headline and "開発者ガイド" not in headline


def test_the_records_own_address_is_no_outgoing_e_mail() -> None:
    rest = json.dumps(
        [{"message": "Correo: invalid email address: a@@b", "errorCode": "INVALID_EMAIL_ADDRESS"}]
    )
    for message in ("Work Email: invalid email address: a@@b: [Work_Email__c]", rest):
        explanation = explain_message(message, object_name="Contact")
        assert "goes out during the save" not in everything(explanation)
        texts = [step.text for step in explanation.guidance.steps]
        assert texts[0].startswith("Correct the address") and texts[-1].startswith("Re-sync")


def test_a_duplicate_rule_of_a_rest_body_is_named_with_its_object_and_the_record_it_matched() -> None:
    body = json.dumps(
        {
            "duplicateResult": {
                "duplicateRule": "Household_Rule",
                "duplicateRuleEntityType": "Household__c",
                "matchResults": [{"matchRecords": [{"record": {"Id": ORDER}}]}],
            },
            "errorCode": "DUPLICATES_DETECTED",
            "message": "Use one of these records?",
        }
    )
    diagnosis = diagnose(body)
    assert [(thing.kind, thing.name) for thing in diagnosis.automation] == [
        ("duplicate_rule", "Household_Rule")
    ]
    assert (diagnosis.objects, diagnosis.record_ids, diagnosis.fields) == (("Household__c",), (ORDER,), ())
    assert plain(explain_message(body).guidance.steps[0].text).startswith(
        f"Look at the record that it resembles: {ORDER}"
    )


@pytest.mark.parametrize(
    ("message", "fields"),
    [
        (
            "Shipment__c: bad field names on insert/update call: Weight__c, Depth__c",
            ("Weight__c", "Depth__c"),
        ),
        (f"Shop Key: more than one record found for external id field: [{ORDER}, {ITEM}]", ("Shop Key",)),
        (
            "Tipo de entidad 'Envio__c': CRM ErrorCode: ENTITY_IS_LOCKED, Campos: Peso__c, Mensaje: x",
            ("Peso__c",),
        ),
        ("Flow API Name: Ship_Order\nType: Autolaunched\nCurrent User: Sam Roe", ()),
    ],
)
def test_what_is_no_field_is_not_called_one(message: str, fields: tuple[str, ...]) -> None:
    assert diagnose(message).fields == fields


def test_a_delete_that_failed_is_explained_by_its_own_text() -> None:
    for text, part in (
        (
            "Your attempt to delete Acme could not be completed: it is associated with these Orders",
            "used",
        ),
        ("You cannot delete a shipped parcel", "“You cannot delete a shipped parcel”"),
    ):
        shown = everything(explain_message(f"DELETE_FAILED: {text}", object_name="Order"))
        assert ("Other records still use" in shown) is (part == "used")
        assert part == "used" or part in shown


def test_the_id_of_an_inactive_user_is_the_user() -> None:
    message = f"INACTIVE_OWNER_OR_USER, operation performed with inactive user [{USER}] as owner of order: []"
    explanation = explain_message(
        message, object_name="Order", org=OrgContext(instance_url="https://acme.my.salesforce.com")
    )
    first = explanation.guidance.steps[0]
    assert USER in plain(first.text) and "ManageUsers" in (first.address or "")
    assert f"the record {USER}" not in everything(explanation)


def test_a_sentence_of_salesforce_is_quoted_where_nothing_better_is_known() -> None:
    for text in (
        "This price definition already exists in this price book",
        "The agent is not in the channel",
    ):
        assert f"“{text}”" in explain_message(f"FIELD_INTEGRITY_EXCEPTION, {text}: []").headline
    for code in ("LICENSE_LIMIT_EXCEEDED", "INVALID_OPERATION", "TRANSFER_REQUIRES_READ"):
        assert "“Not this way”" in explain_message(f"{code}: Not this way").headline


def test_a_rule_whose_formula_is_broken_is_named_and_not_searched_for_as_a_text() -> None:
    explanation = explain_message('FIELD_CUSTOM_VALIDATION_EXCEPTION, Formula "Ship_Date_Check" Invalid: []')
    assert "Ship_Date_Check" in explanation.headline
    assert "the one with the error message" not in everything(explanation)


@pytest.mark.parametrize(
    "line",
    [
        '17:11:52.3 (37)|X|"FIELD_CUSTOM_VALIDATION_EXCEPTION, Pick a store, fields=[S]"|0x37',
        '"a0X","FIELD_CUSTOM_VALIDATION_EXCEPTION, Pick a store: []",B-4,a0X',
        "FIELD_CUSTOM_VALIDATION_EXCEPTION:Pick a store:Store__c --",
    ],
)
def test_what_wraps_a_message_does_not_leak_into_what_is_quoted(line: str) -> None:
    assert explain_message(line).headline == "A validation refused the record: “Pick a store”."


def test_an_ids_prefix_tells_whose_field_it_is_and_a_standard_field_stays_required() -> None:
    message = f"REQUIRED_FIELD_MISSING: {ITEM}:StartDate is required for this product."
    explanation = explain_message(message, object_name="Order")
    assert "/ObjectManager/OrderItem/" in (explanation.guidance.steps[0].address or "")
    assert "take away" not in everything(explanation)
    written = f"First exception on row 0 with id {ITEM}; first error: REQUIRED_FIELD_MISSING, Missing: [A__c]"
    assert "/ObjectManager/OrderItem/" in (
        explain_message(written, object_name="Order").guidance.steps[0].address or ""
    )


@pytest.mark.parametrize(
    ("message", "cure"),
    [
        ("NO_MASS_MAIL_PERMISSION, Single email is not enabled", "set the access level to “All email”"),
        ("PORTAL_USER_ALREADY_EXISTS_FOR_CONTACT, portal user already exists for contact", "Use that user"),
        (
            f"{APEX}: Too many retries of batch save in the presence of Apex triggers with failures",
            "alone, not together",
        ),
        (
            "INVALID_FIELD_FOR_INSERT_UPDATE, Unable to create/update fields: A__c.",
            "read and edit access to A__c",
        ),
    ],
)
def test_the_true_cure(message: str, cure: str) -> None:
    assert cure in everything(explain_message(message))


def test_a_lookup_filter_is_on_the_object_that_points_there() -> None:
    message = "FIELD_FILTER_VALIDATION_EXCEPTION: Contract must belong to the same account"
    text = everything(explain_message(f"the “Renew” process failed. {message}", object_name="Order"))
    assert "/ObjectManager/Contract" not in text and "/ObjectManager/Account" not in text


def test_an_object_in_another_language_and_a_job_title() -> None:
    assert diagnose("Type d’entité « Campagne » : Code d'erreur CRM : ENTITY_IS_LOCKED").objects == (
        "Campagne",
    )
    assert diagnose("ENTITY_IS_LOCKED: ask an Account Executive first").objects == ()


def test_the_state_of_a_machine_is_no_address() -> None:
    message = "FIELD_INTEGRITY_EXCEPTION, Machine State: id value of incorrect type: on: [Machine_State__c]"
    text = everything(explain_message(message))
    assert "AddressCleanerOverview" not in text and "country" not in text.lower()


def test_a_message_that_was_cut_says_so() -> None:
    whole = "FIELD_CUSTOM_VALIDATION_EXCEPTION, " + "Please ask the warehouse whether " * 9
    cut = explain_message(whole[:255])
    assert cut.remarks == ("The message has 255 characters, a usual limit: its end may be missing.",)
    assert explain_message("x" * 100).remarks == ()
    assert cut.payload()["cut"] is True
    assert explain_message("Required fields are missing: [Name]").remarks == ()


@pytest.mark.parametrize(
    ("message", "code", "fields"),
    [
        (
            "You cannot set PriceRuleKey on a closed quote",
            "INVALID_FIELD_FOR_INSERT_UPDATE",
            ("PriceRuleKey",),
        ),
        ("Required fields are missing : Company", None, ("Company",)),
        ("Provided external ID field does not exist or is not accessible: Sku__c", None, ("Sku__c",)),
        ("InvalidBatch : Field name not found : Colour", None, ("Colour",)),
        ("Field name provided, Sku does not match an External ID for Product2", None, ("Sku",)),
        (
            "The Regional Stock Keeper is not the right kind of user here",
            "FIELD_FILTER_VALIDATION_EXCEPTION",
            ("Regional Stock Keeper",),
        ),
        (
            "A reason has to be given when the Return Status is Refused",
            "FIELD_CUSTOM_VALIDATION_EXCEPTION",
            ("Return Status",),
        ),
        (
            "NUMBER_OUTSIDE_VALID_RANGE Pallets: value outside of valid range on numeric field: 7",
            None,
            ("Pallets",),
        ),
    ],
)
def test_a_field_is_found_where_a_sentence_of_the_platform_names_it(
    message: str, code: str | None, fields: tuple[str, ...]
) -> None:
    assert diagnose(message, code).fields == fields


def test_an_object_in_a_condition_is_no_field() -> None:
    assert diagnose("Enter a date if the Order is active", "FIELD_CUSTOM_VALIDATION_EXCEPTION").fields == ()


@pytest.mark.parametrize(
    ("message", "root"),
    [
        ("Stock Count: value not of required type: [Stock_Count__c]", "INVALID_TYPE_ON_FIELD_IN_RECORD"),
        ('Stopped by the validation rule "Wholesale only"', "FIELD_CUSTOM_VALIDATION_EXCEPTION"),
        ('The duplicate rule "Shoppers" said no', "DUPLICATES_DETECTED"),
        ("An Apex error occurred: StockService.StockException: none left", APEX),
        ('Action "Reserve_Stock" failed: the flow has no fault path', "CANNOT_EXECUTE_FLOW_TRIGGER"),
    ],
)
def test_what_stopped_a_save_tells_the_code_where_none_is_given(message: str, root: str) -> None:
    diagnosis = diagnose(message)
    assert (diagnosis.root_code, diagnosis.inferred) == (root, True)


def test_nothing_is_said_of_what_the_message_rules_out() -> None:
    named = everything(
        explain_message("duplicate value found: Card__c duplicates value on record with id: x")
    )
    assert "Not sure which field" not in named and "does not name it" in named
    unnamed = "duplicate value found: <unknown> duplicates value on record with id: <unknown>"
    assert "<unknown>" not in everything(explain_message(unnamed))
    standard = everything(explain_message("Required fields are missing: [CloseDate]"))
    assert "cannot be made optional" in standard and "if you made it optional" not in standard
    assert "if you made it optional" in everything(explain_message("Required fields are missing: [Ext__c]"))


def test_what_salesforce_alone_writes_is_not_a_matter_of_rights() -> None:
    explanation = explain_message(
        "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY: entity type cannot be updated: Order History"
    )
    assert explanation.diagnosis.objects == ("Order History",)
    assert "permission set" not in everything(explanation)
    assert "permission set" in everything(explain_message("entity type cannot be updated: Shipment"))


def test_an_e_mail_that_names_something_gone_is_no_lookup() -> None:
    message = (
        "SendEmail failed. First exception on row 0; first error: INVALID_CROSS_REFERENCE_KEY, invalid id: []"
    )
    text = everything(explain_message(message))
    assert "sends the e-mail" in text and "Recycle Bin" not in text


def test_a_limit_in_apex_is_tried_alone_and_called_no_fault_of_the_record() -> None:
    explanation = explain_message(
        "T: execution of AfterUpdate caused by: System.AsyncException: Rate Limiting : AsyncApexExecutions "
        "Limit exceeded."
    )
    assert "this record lacks" not in everything(explanation)
    assert retry_words(explanation.guidance).startswith("Try once.")


def test_a_length_that_only_may_be_a_limit_is_told_as_such() -> None:
    cut = explain_message("Required fields are missing: [Name] ...")
    assert cut.remarks == ("The message breaks off after 39 characters: what follows is not known.",)


@pytest.mark.parametrize(
    "message",
    [
        "CRM-Fehlercode: DELETE_FAILED, Feld(er): A__c, CRM-Fehlermeldung: Zu spät, RecordId: 1",
        "Erreur : DELETE_FAILED, Champ(s) : A__c, Message d'erreur CRM : Zu spät, RecordId: 1",
    ],
)
def test_what_an_integration_writes_in_front_is_not_quoted(message: str) -> None:
    assert "“Zu spät”" in explain_message(message).headline


@pytest.mark.parametrize(
    ("message", "field"),
    [
        ("Le champ Code postal est obligatoire pour la livraison.", "Code postal"),
        ("El campo Correo electrónico no puede estar vacío", "Correo electrónico"),
        ("Das Feld „Lieferart“ ist ein Pflichtfeld.", "Lieferart"),
        ("Il campo Telefono è obbligatorio", "Telefono"),
        ("Erro: O campo CPF é obrigatório.", "CPF"),
        ("Het veld Postcode is verplicht", "Postcode"),
    ],
)
def test_a_rule_that_asks_for_a_field_names_it_in_other_languages_too(message: str, field: str) -> None:
    diagnosis = diagnose(message)
    assert (diagnosis.root_code, diagnosis.fields) == ("FIELD_CUSTOM_VALIDATION_EXCEPTION", (field,))


def test_words_that_nobody_knows_are_quoted() -> None:
    message = "The delivery group 0a7 does not have any delivery method"
    assert f"“{message}”" in explain_message(message).headline
    assert (
        f"“{message}”" in explain_message(f"NEW_KIND_OF_REFUSAL: {message}", "NEW_KIND_OF_REFUSAL").headline
    )


@pytest.mark.parametrize(
    ("message", "fields"),
    [
        ("Only finance may change the Invoice Terms", ("Invoice Terms",)),
        ("You must choose a Carrier before the parcel leaves", ("Carrier",)),
        ("Do not set Parcel Stage to Sent yet", ("Parcel Stage",)),
        ("Rebate cannot exceed 20%", ("Rebate",)),
        ("ABN number is invalid", ("ABN number",)),
        ("Choose a Contact for the order", ()),
    ],
)
def test_what_a_rule_wants_done_names_its_field(message: str, fields: tuple[str, ...]) -> None:
    assert diagnose(message, "FIELD_CUSTOM_VALIDATION_EXCEPTION").fields == fields


def test_an_object_that_is_part_of_another_name_is_not_named() -> None:
    assert diagnose("Product Interest is not open in this region").objects == ()


def test_one_field_and_several_are_told_in_their_number() -> None:
    message = "INVALID_FIELD_FOR_INSERT_UPDATE, bad field names on insert/update call: {0}: [{0}]"
    assert " Fields: Type and Industry." in explain_message(message.format("Type, Industry")).headline
    assert " Field: Type." in explain_message(message.format("Type")).headline


@pytest.mark.parametrize(
    ("message", "root", "fields", "values"),
    [
        ("Menge: Wert nicht vom erforderlichen Typ: drei", "wrong type", ("Menge",), ("drei",)),
        ("Quantité : la valeur n'est pas du type requis : trois", "wrong type", ("Quantité",), ("trois",)),
        ("Quantità: valore non del tipo richiesto: tre", "wrong type", ("Quantità",), ("tre",)),
        ("数量: 必須種別以外の値: 三", "wrong type", ("数量",), ("三",)),
        ("등급: 제한된 선택 목록 필드의 잘못된 값: 금", "picklist", ("등급",), ("금",)),
        ("Nivå: felaktigt värde för begränsat listfält: Guld", "picklist", ("Nivå",), ("Guld",)),
        ("non riconosce il valore dello stato per il campo: Provincia", "address list", ("Provincia",), ()),
    ],
)
def test_a_refused_value_is_told_in_other_languages_without_a_code(
    message: str, root: str, fields: tuple[str, ...], values: tuple[str, ...]
) -> None:
    diagnosis = diagnose(message)
    assert (diagnosis.root_code, diagnosis.fields, diagnosis.values) == (code_of_kind()[root], fields, values)


def test_the_refused_value_ends_the_sentence_in_a_language_that_no_table_has() -> None:
    code = "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
    message = (
        f"CRM-fejlkode: {code}, Felt: Tier__c, CRM-meddelelse: forkert værdi for begrænset valgliste: Guld"
    )
    assert (diagnose(message).fields, diagnose(message).values) == (("Tier__c",), ("Guld",))
    assert diagnose(f"{code}: StageName: see the wiki", code).values == ()


def test_an_api_name_at_the_end_is_the_field_and_an_exceptions_name_is_not() -> None:
    code = "INVALID_TYPE_ON_FIELD_IN_RECORD"
    assert diagnose(f"{code}: value not of required type: 7.5 [SeatCount]").fields == ("SeatCount",)
    assert diagnose(f"{code}: value not of required type: 7.5 [ParseException]").fields == ()


def test_a_uuid_in_an_address_is_no_external_id() -> None:
    uuid = "74903c4d-2f2c-43f2-82d9-7f09a40c7bc5"
    assert (
        diagnose(f"Username: data value too large: kim_{uuid}@mill.example (max length=80)").external_ids
        == ()
    )
    assert diagnose(f"Order {uuid} has no lines").external_ids == (uuid,)


def test_what_was_not_found_is_a_record_and_no_field() -> None:
    code = "FIELD_CUSTOM_VALIDATION_EXCEPTION"
    assert diagnose("No Sales Territory was found for this postcode", code).fields == ()
    assert diagnose("Sales Territory is wrong for this postcode", code).fields == ("Sales Territory",)


def test_a_state_without_a_country_adds_nothing_to_the_lists() -> None:
    text = everything(
        explain_message(
            "A country/territory must be specified before specifying a state value for field: Other State"
        )
    )
    assert "a state but no country: Other State" in text
    assert "Add the missing code" not in text


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (
            "INVALID_CROSS_REFERENCE_KEY: The price book of this quote is archived",
            "“The price book of this quote is archived”",
        ),
        ("INVALID_CROSS_REFERENCE_KEY: portal user needs a contact", "“portal user needs a contact”"),
    ],
)
def test_a_link_that_is_refused_for_a_reason_of_its_own_is_no_deleted_record(
    message: str, words: str
) -> None:
    text = everything(explain_message(message))
    assert words in text
    assert "does not exist any more" not in text
    assert "does not exist any more" in everything(
        explain_message("INVALID_CROSS_REFERENCE_KEY: invalid cross reference id")
    )


def test_a_parent_is_looked_for_by_the_field_that_the_message_names() -> None:
    message = "INVALID_FIELD: Foreign key external ID: 77 not found for field {} in entity User"
    text = everything(explain_message(message.format("Agent_Number__c")))
    assert "User with the Agent_Number__c 77" in text
    assert "parent of this record" in text  # the message names the parent's object, not the record's
    assert "User with the Email 77" in everything(explain_message(message.format("Email")))
    assert "User with the StoreConnect ID 77" in everything(explain_message(message.format("s_c__sC_Id__c")))


def test_another_parent_is_no_matter_of_rights() -> None:
    refused = "Attempting to update (as part of an upsert) parent field Depot__c with new value"
    text = everything(explain_message(f"INVALID_FIELD_FOR_INSERT_UPDATE: {refused}"))
    assert "see which parent it has in Depot__c" in text
    assert "permission set" not in text


def test_a_link_that_exists_changes_no_unique_value() -> None:
    text = everything(explain_message("DUPLICATE_VALUE: Already a campaign member."))
    assert "“Already a campaign member”" in text
    assert "change the value" not in text
