"""Addresses of Salesforce pages, for people to open, and which address a token may be sent to.

Every function of a page gives a path; `address` puts the right host before it. An id gets into a path only
when it can be one: right shape, checksum fits, not the null id.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import quote, urlsplit

from syncerr_tui.diagnosis.identifiers import check_characters, is_id

LIGHTNING_HOSTS = (
    (".my.salesforce.com", ".lightning.force.com"),
    (".my.salesforce-setup.com", ".lightning.force.com"),
    (".my.salesforce.mil", ".lightning.crmforce.mil"),
    (".my.sfcrmproducts.cn", ".lightning.sfcrmapps.cn"),
    (".my-salesforce.com", ".my-lightning.com"),
)
"""Ending of the API host -> ending of the host with Lightning pages on it."""

SETUP_PAGES: Mapping[str, str] = {
    "flows": "Flows",
    "paused_flows": "Pausedflows",
    "process_builder": "ProcessAutomation",
    "automation_settings": "WorkflowSettings",
    "duplicate_rules": "DuplicateRules",
    "matching_rules": "MatchingRules",
    "state_picklists": "AddressCleanerOverview",
    "email_templates": "CommunicationTemplatesEmail",
    "lightning_email_templates": "LightningEmailTemplateSetup",
    "email_deliverability": "OrgEmailSettings",
    "apex_triggers": "ApexTriggers",
    "apex_classes": "ApexClasses",
    "apex_jobs": "AsyncApexJobs",
    "debug_logs": "ApexDebugLogs",
    "users": "ManageUsers",
    "permission_sets": "PermSets",
    "profiles": "EnhancedProfiles",
    "system_overview": "SystemOverview",
    "installed_packages": "ImportedPackage",
    "object_manager": "ObjectManager",
}
"""Name of a page in the catalogue -> its node in Setup; the page is `/lightning/setup/<node>/home`."""

OBJECT_PAGES: Mapping[str, str] = {
    "object": "Details",
    "fields": "FieldsAndRelationships",
    "validation_rules": "ValidationRules",
    "object_triggers": "ApexTriggers",
    "record_types": "RecordTypes",
}
"""Name of a page in the catalogue -> its tab in the Object Manager."""

_API_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,79}\Z")
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?\Z")
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def full_id(text: str) -> str | None:
    """The 18-character form of an id; None for what is not an id, has a wrong checksum, or is the null id."""
    return text[:15] + check_characters(text[:15]) if is_id(text) else None


def host(instance_url: str, *, lightning: bool = True) -> str | None:
    """Scheme and host of an org's pages.

    Args:
        instance_url: What the org calls its own address; a loopback address (the demo org) stays itself.
        lightning: The host of Lightning pages; otherwise the org's own.

    Returns:
        `https://acme.lightning.force.com`, or None where the text is no web address.
    """
    try:
        parts = urlsplit(instance_url.strip())
        name, port = parts.hostname or "", parts.port
    except ValueError:
        return None
    if name in _LOOPBACK and parts.scheme in {"http", "https"}:
        shown = f"[{name}]" if ":" in name else name
        return f"{parts.scheme}://{shown}{f':{port}' if port else ''}"
    if parts.scheme not in {"http", "https"} or not _HOST.match(name):
        return None
    if lightning:
        for ending, pages in LIGHTNING_HOSTS:
            if name.endswith(ending):
                name = name.removesuffix(ending) + pages
                break
    return f"https://{name}{f':{port}' if port else ''}"


def on_this_machine(url: str) -> bool:
    """Whether an address is one of this machine, as the demo org's is."""
    try:
        return urlsplit(url).hostname in _LOOPBACK
    except ValueError:
        return False


def safe_url(url: str) -> bool:
    """True for https with a host and nothing else but a path; plain http on this machine only."""
    try:
        parts = urlsplit(url)
        port_fits = parts.port is None or parts.port > 0
    except ValueError:
        return False
    secure = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    return bool(secure and parts.hostname and port_fits and "@" not in parts.netloc and not parts.query)


def address(path: str, instance_url: str | None) -> str:
    """A path as an absolute address; the path alone while no org is known."""
    lightning = path.startswith(("/lightning/", "/builder_platform_interaction/"))
    base = host(instance_url, lightning=lightning) if instance_url else None
    return path if base is None else base + path


def setup(page: str) -> str:
    """The list page of something in Setup, by its name in `SETUP_PAGES`."""
    return f"/lightning/setup/{SETUP_PAGES[page]}/home"


def setup_item(page: str, record_id: str) -> str:
    """One item of a list in Setup; the list itself where the id cannot be one."""
    item = full_id(record_id)
    if item is None:
        return setup(page)
    inner = f"/{item}"
    if page == "duplicate_rules":
        inner += "?setupid=DuplicateRules"
    elif page == "users":
        inner += "?noredirect=1&isUserEntityOverride=1"
    return f"/lightning/setup/{SETUP_PAGES[page]}/page?address={quote(inner, safe='')}"


def object_page(page: str, object_name: str | None, item: str | None = None) -> str:
    """A tab of an object in the Object Manager; its start page where the object is not known.

    Args:
        page: A name of `OBJECT_PAGES`.
        object_name: API name or 01I id of the object.
        item: Id, or API name of a standard field: that one thing instead of the list.
    """
    if object_name is None or not (_API_NAME.match(object_name) or full_id(object_name)):
        return setup("object_manager")
    tab = f"/lightning/setup/ObjectManager/{object_name}/{OBJECT_PAGES[page]}"
    if item is not None and (full_id(item) or _API_NAME.match(item)):
        return f"{tab}/{full_id(item) or item}/view"
    return f"{tab}/view"


def flow(flow_id: str) -> str:
    """One flow in Flow Builder, by the id of its definition (300...) or of a version (301...)."""
    item = full_id(flow_id)
    if item is None or item[:3] not in {"300", "301"}:
        return setup("flows")
    key = "flowDefId" if item.startswith("300") else "flowId"
    return f"/builder_platform_interaction/flowBuilder.app?{key}={item}"


def record(record_id: str, object_name: str | None = None) -> str | None:
    """The page of one record; None for what is not an id. Users have theirs in Setup."""
    item = full_id(record_id)
    if item is None:
        return None
    if item.startswith("005"):
        return setup_item("users", item)
    if item[:3] in {"300", "301"}:
        return flow(item)
    if object_name is None or not _API_NAME.match(object_name):
        return f"/{item}"
    return f"/lightning/r/{object_name}/{item}/view"


def record_pages(
    ids: Iterable[object], object_name: str, instance_url: str | None
) -> tuple[tuple[str, str], ...]:
    """Records that were read back, as (id, address of its page); what is no id is left out."""
    pages = ((str(one), record(str(one), object_name)) for one in ids)
    return tuple((one, address(path, instance_url)) for one, path in pages if path is not None)


def object_list(object_name: str) -> str | None:
    """The list page of an object's records; None for what is no API name."""
    return f"/lightning/o/{object_name}/list" if _API_NAME.match(object_name) else None
