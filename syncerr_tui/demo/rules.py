"""The safeguards that an admin or a package can switch: duplicate rules, validations, flows, triggers.

Each is a row of the set-up tables, looks at one change, and says no in its own words. Names, labels and
texts are this store's own; their shapes are those that Salesforce orgs are seen to produce. Long because it
is one table: a rule's check and its row are read together.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from syncerr_tui.demo.records import Records
from syncerr_tui.demo.save_errors import Change, SaveError, error_id, flow_words

_ADDRESS = re.compile(r"[^@\s\x00-\x1f]+@[^@\s]+\.[a-z]{2,}", re.IGNORECASE)


RuleCheck = Callable[[Change, Records], SaveError | None]


@dataclass(frozen=True, slots=True)
class Rule:
    """One safeguard that can be switched off."""

    key: str
    """`<set-up object>:<API name>`, stable."""
    object: str
    operations: frozenset[str]
    check: RuleCheck
    label: str = ""
    """What the set-up calls it; its API name where it says nothing."""
    namespace: str | None = None
    words: str = ""
    """A validation rule's error message."""
    formula: str = "TRUE"
    """When a validation rule says no, as its formula puts it, apart from its bypass."""
    field: str | None = None
    """Beside which field a validation rule puts its message; None for the top of the page."""
    why: str = ""
    bypass: str = ""
    """A custom permission whose holders its formula lets pass."""
    carrier: str = ""
    """Key of the automation without which it does not act."""
    bounces: bool = False
    """The cause is data and not the safeguard itself: a bounce mark."""

    def __post_init__(self) -> None:
        if not self.label:
            object.__setattr__(self, "label", self.api_name)

    @property
    def setup(self) -> str:
        """The set-up object that holds it."""
        return self.key.partition(":")[0]

    @property
    def api_name(self) -> str:
        """Its API name in the set-up table."""
        return self.key.partition(":")[2]


BYPASS = "Bypass_Validation"
DISPATCH_WORKFLOW = "WorkflowRule:Shipment_Dispatch_Notice"
_CREATE = frozenset({"Create"})
_UPDATE = frozenset({"Update"})
_BOTH = _CREATE | _UPDATE
CUSTOM = "FIELD_CUSTOM_VALIDATION_EXCEPTION"
FLOW = "CANNOT_EXECUTE_FLOW_TRIGGER"
PICKLIST = "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
NOT_ON_WEB_LEADS = "Trade Fair"
"""A lead source of the list that the record type of web leads does not offer."""
APEX = "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"
_TAX_WORDS = "A tax number has eleven digits; leave Tax Number empty for private customers."
_CHANNEL_WORDS = "Preferred Channel is Phone but Mobile Phone is blank. Fill it in or choose another channel."
BOUNCED_WORDS = "The target object email address is currently marked as bounced."


def _duplicate_account(change: Change, records: Records) -> SaveError | None:
    match = {"Name": change.values.get("Name"), "BillingPostalCode": change.values.get("BillingPostalCode")}
    other = records.twin_of("Account", change.record_id, match)
    if other is None:
        return None
    words = (
        "It looks like you are creating a duplicate Account. "  # two sentences, as the org says them
        "We recommend you use an existing Account instead."
    )
    return SaveError("DuplicateRule:Accounts_by_Name_and_Postcode", "DUPLICATES_DETECTED", words)


def _duplicate_contact(change: Change, records: Records) -> SaveError | None:
    if records.twin_of("Contact", change.record_id, {"Email": change.values.get("Email")}) is None:
        return None
    words = "You're creating a duplicate record. We recommend you use an existing record instead."
    return SaveError("DuplicateRule:Contacts_by_Email", "DUPLICATES_DETECTED", words)


def _duplicate_lead(change: Change, records: Records) -> SaveError | None:
    if records.twin_of("Lead", change.record_id, {"Email": change.values.get("Email")}) is None:
        return None
    words = (
        "LeadRouter: execution of AfterInsert\n\ncaused by: System.DmlException: Insert failed. "
        "First exception on row 0; first error: DUPLICATES_DETECTED, Use one of these records?: []\n\n"
        "Class.LeadRouterHandler.route: line 52, column 1\nTrigger.LeadRouter: line 9, column 1"
    )
    return SaveError("DuplicateRule:Leads_by_Email", APEX, words, bare=True)


def _tax_number(change: Change, _records: Records) -> SaveError | None:
    number = change.values.get("Tax_Number__c")
    if number is None or re.fullmatch(r"\d{11}", str(number)):
        return None
    return SaveError("ValidationRule:Tax_Number_Has_Eleven_Digits", CUSTOM, _TAX_WORDS, ("Tax_Number__c",))


def _preferred_channel(change: Change, _records: Records) -> SaveError | None:
    if change.values.get("Preferred_Channel__c") != "Phone" or change.values.get("MobilePhone"):
        return None
    return SaveError("ValidationRule:Phone_Channel_Needs_Number", CUSTOM, _CHANNEL_WORDS)


def _closed_period(change: Change, _records: Records) -> SaveError | None:
    amount = change.values.get("s_c__Amount__c")
    if not isinstance(amount, int | float) or amount >= 0:
        return None
    words = "lgrx: This ledger period is closed for refunds. Ask the owner of the ledger to reopen it."
    return SaveError("ApexTrigger:PaymentGuard", CUSTOM, words)


def _engraving(change: Change, _records: Records) -> SaveError | None:
    if len(str(change.values.get("Engraving__c") or "")) <= 30:
        return None
    words = "Engraving may not be longer than 30 characters, blanks included."
    return SaveError("ApexTrigger:EngravingCheck", CUSTOM, words, ("Engraving__c",))


def _route(change: Change, _records: Records) -> SaveError | None:
    if change.values.get("ShippingCity") != "Broome":
        return None
    inner = (
        "This error occurred when the flow tried to update records: FIELD_CUSTOM_VALIDATION_EXCEPTION: "
        "Choose a warehouse that is open at weekends"
    )
    words = flow_words(change.sc_id, "Order - Route to Warehouse", inner)
    return SaveError("FlowDefinitionView:Order_Route_to_Warehouse", FLOW, words, bare=True)


def _points(change: Change, _records: Records) -> SaveError | None:
    total = change.values.get("TotalAmount")
    if not isinstance(total, int | float) or total < 5000:
        return None
    inner = (
        "This error occurred when the flow tried to create records: LIMIT_EXCEEDED: "
        "System.LimitException: Too many SOQL queries: 101"
    )
    words = flow_words(change.sc_id, "Loyalty: Award Points", inner)
    return SaveError("FlowDefinitionView:Loyalty_Award_Points", FLOW, words, bare=True)


def _reminder(change: Change, _records: Records) -> SaveError | None:
    if not str(change.values.get("Coupon__c") or "").startswith("LEGACY"):
        return None
    words = flow_words(change.sc_id, "Cart Reminder", "An error occurred when executing a flow interview.")
    return SaveError("FlowDefinitionView:Cart_Reminder", FLOW, words, bare=True)


def _notifier(change: Change, _records: Records) -> SaveError | None:
    if change.values.get("s_c__Checkout_Step__c") != "quotation_requested":
        return None
    inner = (
        "This error occurred when the flow tried to update records: CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY: "
        "ShipmentRollup: execution of AfterUpdate caused by: System.DmlException: Update failed. "
        f"First exception on row 0 with id {change.record_id}; first error: "
        "FIELD_CUSTOM_VALIDATION_EXCEPTION, A quotation needs a carrier reference on each shipment.: "
        "[Carrier_Reference__c]"
    )
    words = flow_words(change.sc_id, "Quotation Notifier", inner)
    return SaveError("FlowDefinitionView:Quotation_Notifier", FLOW, words, bare=True)


def _reserver(change: Change, _records: Records) -> SaveError | None:
    if change.values.get("ShippingCity") != "Kingston":
        return None
    words = (
        "StockReserver: execution of BeforeInsert\n\ncaused by: System.NullPointerException: Attempt to "
        "de-reference a null object\n\nClass.StockReserverHandler.reserve: line 88, column 1\n"
        "Trigger.StockReserver: line 12, column 1"
    )
    return SaveError("ApexTrigger:StockReserver", APEX, words, bare=True)


def _costing(change: Change, _records: Records) -> SaveError | None:
    if change.values.get("s_c__Status__c") != "packed":
        return None
    words = (
        "lgrx.ShipmentCosting: execution of AfterInsert caused by: System.DmlException: Insert failed. First "
        "exception on row 0; first error: REQUIRED_FIELD_MISSING, Required fields are missing: "
        "[lgrx__Cost_Type__c]: [lgrx__Cost_Type__c] (lgrx)"
    )
    return SaveError("ApexTrigger:ShipmentCosting", APEX, words, bare=True)


def _warranty(change: Change, _records: Records) -> SaveError | None:
    if not str(change.values.get("Name") or "").endswith("bundle"):
        return None
    words = (
        "System.DmlException: Insert failed. First exception on row 0; first error: "
        "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY, WarrantyClock: execution of AfterInsert\n\ncaused by: "
        "System.LimitException: Apex CPU time limit exceeded: []"
    )
    return SaveError("ApexTrigger:WarrantyClock", APEX, words, bare=True)


def _template(change: Change, _records: Records) -> SaveError | None:
    if change.values.get("s_c__Status__c") != "dispatched":
        return None
    words = "We don't recognize the field prefix Parcel_Line"
    return SaveError("EmailTemplate:Dispatch_Notice", "EMAIL_TEMPLATE_MERGEFIELD_ERROR", words)


def _welcome(change: Change, _records: Records) -> SaveError | None:
    address = str(change.values.get("Email") or "")
    if not address or _ADDRESS.fullmatch(address):
        return None
    words = (
        "An Apex error occurred: WelcomeMailer.SendException: No messages were sent. First Error: "
        f"null Error Code:INVALID_EMAIL_ADDRESS - Email address is invalid: {address}"
    )
    return SaveError("ApexClass:WelcomeMailer", "INVALID_EMAIL_ADDRESS", words, bare=True)


def _ledger(change: Change, _records: Records) -> SaveError | None:
    if change.values.get("s_c__Method__c") != "wallet":
        return None
    words = (
        '[{"actionName":"lgrx__Ledger_Posting","errors":[{"statusCode":"UNKNOWN_EXCEPTION","message":"An '
        'error occurred when executing a flow interview.","fields":[]}],"isSuccess":false,'
        '"outputValues":null,"version":1}]'
    )
    return SaveError("FlowDefinitionView:lgrx__Ledger_Posting", "UNKNOWN_EXCEPTION", words, bare=True)


def _renewal(change: Change, _records: Records) -> SaveError | None:
    if change.values.get("s_c__Interval__c") != "year":
        return None
    words = "An unexpected error occurred. Please include this ErrorId if you contact support: " + error_id(
        change.sc_id
    )
    return SaveError("ApexClass:RenewalScheduleJob", "UNKNOWN_EXCEPTION", words, bare=True)


def _activation(change: Change, _records: Records) -> SaveError | None:
    if change.values.get("Status") != "Ready for Warehouse":
        return None
    words = "Choose a valid order status and save your changes. Ask your admin for details."
    return SaveError("Setting:Order_Status_Ready_for_Warehouse", "FAILED_ACTIVATION", words, ("Status",))


def _web_lead(change: Change, _records: Records) -> SaveError | None:
    if change.values.get("LeadSource") != NOT_ON_WEB_LEADS:
        return None
    words = f"Lead Source: bad value for restricted picklist field: {NOT_ON_WEB_LEADS}"
    return SaveError("RecordType:Web_Lead", PICKLIST, words, ("LeadSource",))


def _returned(change: Change, _records: Records) -> SaveError | None:
    if change.values.get("s_c__Status__c") != "returned":
        return None
    words = (
        "The workflow rule Returned_Parcel_Credit failed: its field update Set_Credit_Note names a field "
        "that is gone."
    )
    return SaveError("WorkflowRule:Returned_Parcel_Credit", "UNKNOWN_EXCEPTION", words)


def _bounced(records: Records, contact: object) -> bool:
    return records.value("Contact", contact, "EmailBouncedReason") is not None


def _order_mail(change: Change, records: Records) -> SaveError | None:
    contact = change.values.get("s_c__Contact_Id__c")
    if not contact or not _bounced(records, contact):
        return None
    return SaveError(
        "FlowDefinitionView:Order_Confirmation_Mail",
        "EMAIL_ADDRESS_BOUNCED",
        BOUNCED_WORDS,
        record_id=str(contact),
    )


def _campaign_mail(change: Change, records: Records) -> SaveError | None:
    contact = change.values.get("ContactId")
    if not _bounced(records, contact):
        return None
    inner = (
        f"This error occurred when the flow tried to send an email: EMAIL_ADDRESS_BOUNCED: {BOUNCED_WORDS}"
    )
    words = flow_words(change.sc_id, "Campaign Thank-you", inner.removesuffix("."))
    return SaveError("FlowDefinitionView:Campaign_Thank_you", FLOW, words, bare=True, record_id=str(contact))


RULES: tuple[Rule, ...] = (
    Rule(
        "DuplicateRule:Accounts_by_Name_and_Postcode",
        "Account",
        _CREATE,
        _duplicate_account,
        label="Accounts by Name and Postcode",
        why="It takes the shopper's account for one that sales already keeps.",
    ),
    Rule(
        "DuplicateRule:Contacts_by_Email",
        "Contact",
        _CREATE,
        _duplicate_contact,
        label="Contacts by Email",
        why="It only alerts, but the sync cannot confirm an alert.",
    ),
    Rule(
        "DuplicateRule:Leads_by_Email",
        "Lead",
        _CREATE,
        _duplicate_lead,
        label="Leads by Email",
        why="The Apex trigger LeadRouter copies the lead, and the rule refuses it.",
    ),
    Rule(
        "ValidationRule:Tax_Number_Has_Eleven_Digits",
        "Account",
        _BOTH,
        _tax_number,
        words=_TAX_WORDS,
        formula='NOT(ISBLANK(Tax_Number__c)), NOT(REGEX(Tax_Number__c, "[0-9]{11}"))',
        field="Tax_Number__c",
        bypass=BYPASS,
        why="The website does not check tax numbers.",
    ),
    Rule(
        "ValidationRule:Phone_Channel_Needs_Number",
        "Contact",
        _BOTH,
        _preferred_channel,
        words=_CHANNEL_WORDS,
        formula='ISPICKVAL(Preferred_Channel__c, "Phone"), ISBLANK(MobilePhone)',
        bypass=BYPASS,
        why="The website does not ask for a mobile number.",
    ),
    Rule(
        "ApexTrigger:PaymentGuard",
        "s_c__Payment__c",
        _CREATE,
        _closed_period,
        namespace="lgrx",
        why="The rule lives in the managed package lgrx, not in Setup, Validation Rules.",
    ),
    Rule(
        "ApexTrigger:EngravingCheck",
        "OrderItem",
        _BOTH,
        _engraving,
        why="The check is an addError in the org's own Apex trigger.",
    ),
    Rule(
        "FlowDefinitionView:Order_Route_to_Warehouse",
        "Order",
        _CREATE,
        _route,
        label="Order - Route to Warehouse",
        carrier="ValidationRule:Weekend_Warehouse",
        why="Its element Update Warehouse runs into a validation on the warehouse.",
    ),
    Rule(
        "FlowDefinitionView:Loyalty_Award_Points",
        "Order",
        _CREATE,
        _points,
        label="Loyalty: Award Points",
        why="It queries inside a loop, and large orders run into a limit.",
    ),
    Rule(
        "FlowDefinitionView:Cart_Reminder",
        "s_c__Cart__c",
        _BOTH,
        _reminder,
        label="Cart Reminder",
        why="It cannot read coupons of the old shop.",
    ),
    Rule(
        "FlowDefinitionView:Quotation_Notifier",
        "Order",
        _UPDATE,
        _notifier,
        label="Quotation Notifier",
        carrier="ValidationRule:lgrx__Quotation_Needs_Carrier",
        why="It updates shipments, whose trigger runs into a validation.",
    ),
    Rule(
        "ApexTrigger:StockReserver",
        "Order",
        _CREATE,
        _reserver,
        why="It expects a warehouse for every city, and has none here.",
    ),
    Rule(
        "ApexTrigger:ShipmentCosting",
        "s_c__Shipment__c",
        _CREATE,
        _costing,
        namespace="lgrx",
        why="The managed package writes a cost line without a cost type.",
    ),
    Rule(
        "ApexTrigger:WarrantyClock", "Asset", _CREATE, _warranty, why="It calculates for too long on bundles."
    ),
    Rule(
        "EmailTemplate:Dispatch_Notice",
        "s_c__Shipment__c",
        _BOTH,
        _template,
        label="Dispatch Notice",
        carrier=DISPATCH_WORKFLOW,
        why="It asks for a field of Parcel_Line, an object that is gone.",
    ),
    Rule(
        "ApexClass:WelcomeMailer",
        "Lead",
        _BOTH,
        _welcome,
        why="It writes to an address that no mail server takes.",
    ),
    Rule(
        "FlowDefinitionView:lgrx__Ledger_Posting",
        "s_c__Payment__c",
        _CREATE,
        _ledger,
        label="Ledger Posting",
        namespace="lgrx",
        why="It knows no ledger account for wallets.",
    ),
    Rule(
        "ApexClass:RenewalScheduleJob",
        "s_c__Subscription__c",
        _CREATE,
        _renewal,
        why="The job that plans yearly renewals breaks every save.",
    ),
    Rule(
        "Setting:Order_Status_Ready_for_Warehouse",
        "Order",
        _UPDATE,
        _activation,
        label="Ready for Warehouse",
        why="The status has no category, so no order can be activated with it.",
    ),
    Rule(
        "FlowDefinitionView:Order_Confirmation_Mail",
        "Order",
        _CREATE,
        _order_mail,
        label="Order Confirmation Mail",
        why="A flow writes to the buyer while the order is saved, and the address is marked as bounced.",
        bounces=True,
    ),
    Rule(
        "FlowDefinitionView:Campaign_Thank_you",
        "CampaignMember",
        _CREATE,
        _campaign_mail,
        label="Campaign Thank-you",
        why="The flow writes to a Contact whose address is marked as bounced.",
        bounces=True,
    ),
    Rule(
        "RecordType:Web_Lead",
        "Lead",
        _BOTH,
        _web_lead,
        label="Web lead",
        why="The list has the value, and the record type of web leads does not offer it.",
    ),
    Rule(
        "WorkflowRule:Returned_Parcel_Credit",
        "s_c__Shipment__c",
        _BOTH,
        _returned,
        why="Its field update writes to a field that somebody deleted.",
    ),
)
"""In the order in which they act on a save."""

RULES_BY_KEY = {rule.key: rule for rule in RULES}
