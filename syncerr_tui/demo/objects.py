"""Which objects the demo org has: a store's data, and the set-up that a person can look things up in.

Long because it is one table of objects and fields, and nothing else.
"""

from __future__ import annotations

from syncerr_tui.demo.schema import (
    Field,
    SObject,
    choice,
    lookup,
    sc_id,
    sobject,
    store_object,
    text,
    typed,
)

COUNTRIES = ("AU", "NZ", "US", "GB", "DE", "JP", "CA", "IE", "IN", "IT", "MX", "BR", "CN", "FR", "ES")
STATES = ("NSW", "VIC", "QLD", "WA", "SA", "TAS", "ACT", "NT", "CA", "NY", "TX", "ON", "BC", "QC", "RJ")
"""Salesforce ships states for some ten countries only; the rest is the admin's work."""
CHECKOUT_STEPS = (
    "open",
    "customer",
    "shipping",
    "terms_and_conditions",
    "payment",
    "complete",
    "quotation_requested",
    "failed",
)


def data_objects() -> tuple[SObject, ...]:
    """The objects that hold the store's data."""
    return (*_people(), *_catalogue(), *_sales(), *_store_objects())


def _people() -> tuple[SObject, ...]:
    owner = lookup("OwnerId", "Owner ID", "User", defaulted=True)
    billing = (
        text("BillingStreet", "Billing Street"),
        text("BillingCity", "Billing City", 40),
        text("BillingPostalCode", "Billing Zip/Postal Code", 20),
        choice("BillingStateCode", "Billing State/Province Code", *STATES),
        choice("BillingCountryCode", "Billing Country Code", *COUNTRIES),
    )
    return (
        sobject(
            "User",
            "User",
            "005",
            text("Name", "Full Name", 121, name_field=True),
            text("Username", "Username", 80),
            typed("Email", "Email", "email"),
            typed("IsActive", "Active", "boolean", defaulted=True),
            text("UserType", "User Type", 40),
            text("TimeZoneSidKey", "Time Zone", 40),
            text("LocaleSidKey", "Locale", 40),
            text("LanguageLocaleKey", "Language", 40),
        ),
        sobject(
            "Organization",
            "Organization",
            "00D",
            text("Name", "Name", 80, name_field=True),
            text("InstanceName", "Instance Name", 5),
            typed("IsSandbox", "Is Sandbox", "boolean"),
            typed("TrialExpirationDate", "Trial Expiration Date", "datetime"),
            text("NamespacePrefix", "Namespace Prefix", 15),
            text("OrganizationType", "Edition", 40),
        ),
        sobject(
            "Account",
            "Account",
            "001",
            text("Name", "Account Name", nillable=False, name_field=True),
            sc_id(),
            owner,
            *billing,
            typed("Phone", "Account Phone", "phone"),
            text("Tax_Number__c", "Tax Number", 20),
            choice("Customer_Tier__c", "Customer Tier", "Retail", "Trade", "Wholesale", restricted=True),
        ),
        sobject(
            "Contact",
            "Contact",
            "003",
            text("FirstName", "First Name", 40),
            text("LastName", "Last Name", 80, nillable=False),
            text("Name", "Full Name", 121, createable=False, updateable=False, name_field=True),
            sc_id(),
            lookup("AccountId", "Account ID", "Account"),
            owner,
            typed("Email", "Email", "email"),
            typed("Phone", "Business Phone", "phone"),
            typed("MobilePhone", "Mobile Phone", "phone"),
            text("EmailBouncedReason", "Email Bounced Reason"),
            typed("EmailBouncedDate", "Email Bounced Date", "datetime"),
            text("Loyalty_Number__c", "Loyalty Number", 20, unique=True),
            choice("Preferred_Channel__c", "Preferred Channel", "E-mail", "Phone", "Post"),
        ),
        sobject(
            "Lead",
            "Lead",
            "00Q",
            text("FirstName", "First Name", 40),
            text("LastName", "Last Name", 80, nillable=False),
            text("Name", "Full Name", 121, createable=False, updateable=False, name_field=True),
            text("Company", "Company"),
            sc_id(),
            owner,
            typed("Email", "Email", "email"),
            choice("Status", "Lead Status", "Open", "Working", "Closed"),
            lookup("s_c__Convert_Trggr_Acct_Id__c", "Convert Trigger Account", "Account"),
            text("Referral_Source__c", "Referral Source", 40),
        ),
    )


def _catalogue() -> tuple[SObject, ...]:
    return (
        sobject(
            "Product2",
            "Product",
            "01t",
            text("Name", "Product Name", nillable=False, name_field=True),
            sc_id(),
            text("ProductCode", "Product Code"),
            typed("IsActive", "Active", "boolean", defaulted=True),
        ),
        sobject(
            "Pricebook2",
            "Price Book",
            "01s",
            text("Name", "Price Book Name", nillable=False, name_field=True),
            sc_id(),
            typed("IsActive", "Active", "boolean", defaulted=True),
        ),
        sobject(
            "PricebookEntry",
            "Price Book Entry",
            "01u",
            text("Name", "Product Name", name_field=True),
            sc_id(),
            lookup("Pricebook2Id", "Price Book ID", "Pricebook2"),
            lookup("Product2Id", "Product ID", "Product2"),
            typed("UnitPrice", "List Price", "currency"),
            plural="Price Book Entries",
        ),
        sobject(
            "Campaign",
            "Campaign",
            "701",
            text("Name", "Campaign Name", nillable=False, name_field=True),
            typed("IsActive", "Active", "boolean", defaulted=True),
        ),
    )


def _sales() -> tuple[SObject, ...]:
    return (
        sobject(
            "Order",
            "Order",
            "801",
            text("OrderNumber", "Order Number", 30, createable=False, updateable=False, name_field=True),
            sc_id(),
            lookup("AccountId", "Account ID", "Account"),
            lookup("OwnerId", "Owner ID", "User", defaulted=True),
            lookup("s_c__Contact_Id__c", "Contact", "Contact"),
            lookup("s_c__Store_Id__c", "Store", "s_c__Store__c"),
            lookup("Pricebook2Id", "Price Book ID", "Pricebook2"),
            choice("Status", "Status", "Draft", "Ready for Warehouse", "Activated", nillable=False),
            choice("s_c__Checkout_Step__c", "Checkout Step", *CHECKOUT_STEPS),
            typed("EffectiveDate", "Order Start Date", "date"),
            text("ShippingCity", "Shipping City", 40),
            choice("ShippingStateCode", "Shipping State/Province Code", *STATES),
            choice("ShippingCountryCode", "Shipping Country Code", *COUNTRIES),
            choice(
                "Delivery_Method__c",
                "Delivery Method",
                "Courier",
                "Post",
                "Pick-up",
                restricted=True,
            ),
            typed("Gift_Note__c", "Gift Note", "textarea"),
            typed("TotalAmount", "Order Amount", "currency"),
        ),
        sobject(
            "OrderItem",
            "Order Product",
            "802",
            text("OrderItemNumber", "Order Product Number", 30, createable=False, updateable=False),
            sc_id(),
            lookup("OrderId", "Order ID", "Order", nillable=False),
            lookup("PricebookEntryId", "Price Book Entry ID", "PricebookEntry"),
            lookup("s_c__Shipment_Id__c", "Shipment", "s_c__Shipment__c"),
            typed("Quantity", "Quantity", "double"),
            typed("UnitPrice", "Unit Price", "currency"),
            text("Cost_Centre__c", "Cost Centre", 20, nillable=False),
            text("Engraving__c", "Engraving", 80),
        ),
        sobject(
            "CampaignMember",
            "Campaign Member",
            "00v",
            sc_id(),
            lookup("CampaignId", "Campaign ID", "Campaign"),
            lookup("ContactId", "Contact ID", "Contact"),
            choice("Status", "Status", "Sent", "Responded"),
        ),
        sobject(
            "Asset",
            "Asset",
            "02i",
            text("Name", "Asset Name", nillable=False, name_field=True),
            sc_id(),
            lookup("AccountId", "Account ID", "Account"),
            lookup("ContactId", "Contact ID", "Contact"),
        ),
    )


def _store_objects() -> tuple[SObject, ...]:
    money = typed("s_c__Amount__c", "Amount", "currency")
    return (
        sobject(
            "s_c__Store__c",
            "Store",
            "a00",
            text("Name", "Store Name", nillable=False, name_field=True),
            sc_id(),
            text("s_c__Domain__c", "Domain"),
        ),
        store_object(
            "s_c__Payment__c",
            "Payment",
            "a01",
            lookup("s_c__Order_Id__c", "Order", "Order"),
            money,
            choice("s_c__Method__c", "Method", "card", "transfer", "wallet", restricted=True),
            typed("s_c__Paid_At__c", "Paid At", "datetime"),
        ),
        store_object(
            "s_c__Shipment__c",
            "Shipment",
            "a02",
            lookup("s_c__Order_Id__c", "Order", "Order", nillable=False),
            lookup("s_c__Stock_Location_Id__c", "Stock Location", "s_c__Stock_Location__c"),
            text("Carrier_Reference__c", "Carrier Reference", 40),
            choice("s_c__Status__c", "Status", "pending", "packed", "dispatched"),
        ),
        store_object(
            "s_c__Cart__c",
            "Cart",
            "a03",
            lookup("s_c__Account_Id__c", "Account", "Account"),
            choice("s_c__Checkout_Step__c", "Checkout Step", *CHECKOUT_STEPS),
            text("Coupon__c", "Coupon", 40),
        ),
        store_object(
            "s_c__Cart_Item__c",
            "Cart Item",
            "a04",
            lookup("s_c__Cart_Id__c", "Cart", "s_c__Cart__c"),
            lookup("s_c__Product_Id__c", "Product", "Product2"),
            typed("s_c__Quantity__c", "Quantity", "double"),
        ),
        store_object(
            "s_c__Subscription__c",
            "Subscription",
            "a05",
            lookup("s_c__Account_Id__c", "Account", "Account"),
            choice("s_c__Interval__c", "Interval", "week", "month", "year"),
        ),
        store_object("s_c__Stock_Location__c", "Stock Location", "a06", text("s_c__City__c", "City")),
        sobject(
            "s_c__Error_Definition__c",
            "Error Definition",
            "a07",
            text("Name", "Status Code", 80, name_field=True),
        ),
        # Staged content review in the real package: shaped a little like a change event, and unrelated.
        sobject(
            "s_c__Content_Change__c",
            "Content Change",
            "a08",
            auto_name_text(),
            text("s_c__Object_Name__c", "Object Name"),
            choice("s_c__Status__c", "Status", "Draft", "Published"),
        ),
    )


def auto_name_text() -> Field:
    """The name of a staged content change."""
    return text("Name", "Content Change Number", 80, createable=False, updateable=False, name_field=True)


def setup_objects() -> tuple[SObject, ...]:
    """What a name in a message can be resolved with. Read only."""
    namespace = text("NamespacePrefix", "Namespace Prefix", 15)
    manageable = text("ManageableState", "Manageable State", 40)
    return (
        sobject(
            "FlowDefinitionView",
            "Flow Definition",
            "3dd",
            text("DurableId", "Durable ID", 18, external_id=True),
            text("ApiName", "API Name", 80, external_id=True),
            text("Label", "Label", external_id=True),
            text("Description", "Description"),
            text("ActiveVersionId", "Active Version ID", 18),
            text("LatestVersionId", "Latest Version ID", 18),
            typed("IsActive", "Active", "boolean"),
            text("ProcessType", "Process Type", 40),
            text("TriggerObjectOrEventLabel", "Trigger Object", 80),
            text("TriggerType", "Trigger", 40),
            text("LastModifiedBy", "Last Modified By Name", 121),
            namespace,
            manageable,
            setup=True,
        ),
        sobject(
            "Flow",
            "Flow Version",
            "301",
            text("DefinitionId", "Definition ID", 18, external_id=True),
            text("MasterLabel", "Label"),
            typed("VersionNumber", "Version", "int"),
            choice("Status", "Status", "Active", "Obsolete", "Draft"),
            manageable,
            setup=True,
            rest=False,
        ),
        sobject(
            "ValidationRule",
            "Validation Rule",
            "03d",
            text("ValidationName", "Rule Name", 80, name_field=True),
            typed("Active", "Active", "boolean"),
            text("ErrorMessage", "Error Message"),
            text("ErrorDisplayField", "Error Location", 80),
            text("Description", "Description"),
            lookup("EntityDefinitionId", "Object", "EntityDefinition"),
            namespace,
            manageable,
            setup=True,
            rest=False,
        ),
        sobject(
            "DuplicateRule",
            "Duplicate Rule",
            "0Bm",
            text("DeveloperName", "Developer Name", 80),
            text("MasterLabel", "Rule Name", 80, name_field=True),
            typed("IsActive", "Active", "boolean"),
            text("SobjectType", "Object", 40),
            namespace,
            setup=True,
        ),
        sobject(
            "ApexTrigger",
            "Apex Trigger",
            "01q",
            text("Name", "Name", name_field=True),
            text("TableEnumOrId", "Object", 40),
            choice("Status", "Status", "Active", "Inactive"),
            namespace,
            setup=True,
        ),
        sobject(
            "ApexClass",
            "Apex Class",
            "01p",
            text("Name", "Name", name_field=True),
            choice("Status", "Status", "Active", "Inactive"),
            namespace,
            setup=True,
            plural="Apex Classes",
        ),
        sobject(
            "EntityDefinition",
            "Object Definition",
            "4ie",
            text("DurableId", "Durable ID"),
            text("QualifiedApiName", "API Name", external_id=True),
            text("DeveloperName", "Developer Name"),
            text("Label", "Label"),
            text("PluralLabel", "Plural Label"),
            text("KeyPrefix", "Key Prefix", 3),
            namespace,
            setup=True,
        ),
        sobject(
            "FieldDefinition",
            "Field Definition",
            "4if",
            text("DurableId", "Durable ID"),
            text("QualifiedApiName", "API Name", external_id=True),
            text("DeveloperName", "Developer Name"),
            text("Label", "Label"),
            text("DataType", "Data Type", 40),
            lookup("EntityDefinitionId", "Object", "EntityDefinition"),
            namespace,
            setup=True,
        ),
        sobject(
            "EmailTemplate",
            "Email Template",
            "00X",
            text("Name", "Email Template Name", name_field=True),
            text("DeveloperName", "Template Unique Name"),
            text("UIType", "UI Type", 40),
            text("Subject", "Subject"),
            typed("Body", "Text Body", "textarea"),
            typed("IsActive", "Available For Use", "boolean"),
            text("FolderName", "Folder"),
            namespace,
            setup=True,
        ),
    )
