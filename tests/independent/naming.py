"""What one org calls things. Nobody outside knows StoreConnect's names, so every seed has its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random


@dataclass(frozen=True, slots=True)
class Naming:
    """API names, labels and values of one org's change events."""

    event_object: str = "s_c__Change_Event__c"
    event_label: str = "Change Event"
    object: str = "s_c__Object__c"
    event_type: str = "s_c__Kind__c"
    processed_at: str = "s_c__Handled__c"
    """`LastModifiedDate` where the org has no such field."""
    storeconnect_id: str = "s_c__Key__c"
    message: str = "s_c__Text__c"
    status: str = "s_c__State__c"
    salesforce_id: str = ""
    """Empty: the org has no such field."""
    code: str = ""
    """Empty: the code stands in the message."""
    counter: str = "s_c__Tries__c"
    retry: str = "s_c__Once_More__c"
    """Writing to it asks for a re-sync, where the method is `field`."""
    record_key: str = "s_c__sC_Id__c"
    labels: Mapping[str, str] = field(default_factory=dict)
    """Label of a field, where it is not its name."""
    failed: str = "FAILED"
    pending: str = "PENDING"
    done: str = "DONE"
    rejected: str = "REJECTED"
    """Another value that means failed; the profile knows it, or not."""
    strange: str = "PHASE_7"
    """A value that nobody has heard of; the org uses it while it works."""
    kinds: tuple[str, str, str] = ("Create", "Update", "Delete")
    long_ids: bool = True
    """False: text fields hold ids of 15 characters."""


_STEMS = (
    # object, event type, processed at, StoreConnect ID, message, status, Salesforce ID, code, counter
    (
        "Object",
        "Event_Type",
        "Processed_At",
        "StoreConnect_Id",
        "Message",
        "Status",
        "Salesforce_Id",
        "Code",
        "Retries",
    ),
    (
        "Entity_Name",
        "Operation",
        "Last_Run",
        "External_Key",
        "Last_Error",
        "Sync_State",
        "Record_Id",
        "Error_Code",
        "Attempt",
    ),
    (
        "Objekt",
        "Ereignis",
        "Verarbeitet_am",
        "Shop_Id",
        "Meldung",
        "Zustand",
        "Datensatz",
        "Fehlercode",
        "Versuche",
    ),
    (
        "Objet",
        "Action",
        "Traite_le",
        "Cle_boutique",
        "Texte_erreur",
        "Etat",
        "Fiche",
        "Code_erreur",
        "Essais",
    ),
    ("Obiekt", "Zdarzenie", "Przetworzono", "Klucz", "Komunikat", "Stan", "Rekord", "Kod", "Proby"),
)
_LABELS = (
    (
        "Object",
        "Event Type",
        "Processed At",
        "StoreConnect ID",
        "Message",
        "Status",
        "Salesforce ID",
        "Status Code",
        "Retries",
    ),
    (
        "Entity",
        "Operation",
        "Last Run",
        "External Key",
        "Last Error",
        "Sync State",
        "Record ID",
        "Error Code",
        "Attempt",
    ),
    (
        "Objekt",
        "Ereignistyp",
        "Verarbeitet am",
        "StoreConnect-ID",
        "Meldung",
        "Zustand",
        "Salesforce-ID",
        "Fehlercode",
        "Versuche",
    ),
    (
        "Objet",
        "Type d'événement",
        "Traité le",
        "ID StoreConnect",
        "Message",
        "État",
        "ID Salesforce",
        "Code d'erreur",
        "Essais",
    ),
    (
        "Obiekt",
        "Typ zdarzenia",
        "Przetworzono",
        "Identyfikator StoreConnect",
        "Komunikat",
        "Stan",
        "Identyfikator Salesforce",
        "Kod błędu",
        "Próby",
    ),
)
_WORDS = (
    # failed, pending, done, rejected, strange
    ("FAILED", "PENDING", "COMPLETE", "REJECTED", "PHASE_7"),
    ("Error", "In Progress", "Synced", "Failed Permanently", "Handover"),
    ("Fehlgeschlagen", "Wartet", "Erledigt", "Abgelehnt", "Umlauf"),
    ("Échec", "En attente", "Terminé", "Rejeté", "Relais"),
    ("Błąd", "Oczekuje", "Gotowe", "Odrzucone", "Obieg"),
    ("F", "W", "D", "X", "Q"),
    ("-1", "0", "1", "-2", "5"),
)
_KINDS = (
    ("Create", "Update", "Delete"),
    ("insert", "update", "delete"),
    ("Anlage", "Änderung", "Löschung"),
    ("C", "U", "D"),
)


def naming_of(rng: Random) -> Naming:
    """An org's names, by chance."""
    prefix = rng.choice(("s_c__", "s_c__", "", "acme__"))
    place = rng.randrange(len(_STEMS))
    names = [f"{prefix}{stem}__c" for stem in _STEMS[place]]
    labels = dict(zip(names, _LABELS[place], strict=True))
    failed, pending, done, rejected, strange = rng.choice(_WORDS)
    return Naming(
        event_object=rng.choice(("s_c__Change_Event__c", "s_c__Sync_Change__c", "acme__Web_Change__c")),
        event_label=rng.choice(("Change Event", "Änderungsereignis", "Événement")),
        object=names[0],
        event_type=names[1],
        processed_at=names[2] if rng.random() < 0.7 else "LastModifiedDate",
        storeconnect_id=names[3],
        message=names[4],
        status=names[5],
        salesforce_id=names[6] if rng.random() < 0.7 else "",
        code=names[7] if rng.random() < 0.5 else "",
        counter=names[8],
        record_key=rng.choice(("s_c__sC_Id__c", "s_c__sC_Id__c", f"{prefix}Shop_Key__c")),
        labels=labels,
        failed=failed,
        pending=pending,
        done=done,
        rejected=rejected,
        strange=strange,
        kinds=rng.choice(_KINDS),
        long_ids=rng.random() < 0.6,
    )
