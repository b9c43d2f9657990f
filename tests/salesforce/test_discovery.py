"""Discovery in orgs that share no names: what must be found, and where a person must be asked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

import pytest

from syncerr_tui.errors import BadInputError, UnreachableError
from syncerr_tui.model import EventType
from syncerr_tui.salesforce.discovery import discover
from syncerr_tui.salesforce.profiles import FieldRole, RecordPointer
from syncerr_tui.salesforce.proposal import THE_OBJECT, Overrides, Proposal
from syncerr_tui.salesforce.responses import WrongShapeError
from syncerr_tui.salesforce.vocabulary import Standing, event_type_of, standing_of
from tests.salesforce.orgs import (
    FakeOrg,
    Row,
    a_field,
    an_object,
    events,
    record_id,
    record_object,
    uuid,
)

SYNCED = [record_object(name) for name in ("Account", "Contact", "Order", "OrderItem", "Lead")]
PAYLOAD = '{"attributes":{"type":"Order"},"Name":"x y z"}'


@dataclass
class Case:
    """An org, and what a person who knows it would say."""

    name: str
    org: FakeOrg
    object_name: str
    fields: dict[str, str | None]
    failed: tuple[str, ...]
    pointer: RecordPointer
    kinds: dict[str, EventType]
    pending: tuple[str, ...]
    done: tuple[str, ...]
    record_key: str


def case(
    name: str,
    object_name: str,
    label: str,
    fields: dict[str, Row],
    *others: Row,
    failed: str = "FAILED",
    done: str = "PROCESSED",
    pending: tuple[str, ...] = (),
    kinds: tuple[str, str, str] = ("Create", "Update", "Delete"),
    more: dict[str, Any] | None = None,
    pointer: RecordPointer = RecordPointer.TEXT,
    objects: list[Row] = SYNCED,
    record_key: str = "s_c__sC_Id__c",
) -> Case:
    """An org whose change event has these fields (role -> field), and others without a role."""
    names = {role: str(field["name"]) for role, field in fields.items()}
    rows = events(names, failed=failed, done=done, kinds=kinds, more=more)
    event = an_object(object_name, label, *fields.values(), *others)
    return Case(
        name,
        FakeOrg([*objects, event], {object_name: rows}),
        object_name,
        {role.value: names.get(role.value) for role in FieldRole},
        (failed,),
        pointer,
        dict(zip(kinds, (EventType.CREATE, EventType.UPDATE, EventType.DELETE), strict=True)),
        pending,
        (done,),
        record_key,
    )


def choice(name: str, label: str, *values: str | tuple[str, str]) -> Row:
    """A picklist; a value alone is its own label."""
    pairs = [value if isinstance(value, tuple) else (value, value) for value in values]
    return a_field(name, label, "picklist", values=pairs)


def when(name: str, label: str) -> Row:
    return a_field(name, label, "datetime")


def long_text(name: str, label: str) -> Row:
    return a_field(name, label, "textarea")


def manual() -> Case:
    """The manual's labels under the package's namespace, between objects that only sound like it."""
    decoys = [
        an_object(
            "s_c__Content_Change__c", "Content Change", a_field("s_c__Status__c", "Status", "picklist")
        ),
        an_object("s_c__Error_Definition__c", "Error Definition", long_text("s_c__Message__c", "Message")),
        an_object("s_c__Sync_Summary__c", "Sync Summary"),
    ]
    statuses = (("PENDING", "Pending"), ("PROCESSED", "Processed"), ("FAILED", "Failed"))
    return case(
        "manual",
        "s_c__Change_Event__c",
        "Change Event",
        {
            "object": a_field("s_c__Object__c", "Object"),
            "event_type": choice("s_c__Event_Type__c", "Event Type", "Create", "Update", "Delete"),
            "processed_at": when("s_c__Processed_At__c", "Processed At"),
            "salesforce_id": a_field("s_c__Salesforce_Id__c", "Salesforce ID", length=18),
            "storeconnect_id": a_field("s_c__StoreConnect_Id__c", "StoreConnect ID", length=36),
            "message": long_text("s_c__Message__c", "Message"),
            "status": choice("s_c__Status__c", "Status", *statuses),
        },
        long_text("s_c__Payload__c", "Payload"),
        when("s_c__Retry_At__c", "Next Retry At"),
        pending=("PENDING",),
        more={"s_c__Payload__c": PAYLOAD},
        objects=[*SYNCED, *decoys],
    )


def spanish() -> Case:
    """Spanish throughout, no namespace, the status is free text, the code has a field."""
    return case(
        "spanish",
        "Evento_Cambio__c",
        "Evento de cambio",
        {
            "status": a_field("Estado__c", "Estado", length=40),
            "object": a_field("Nombre_Objeto__c", "Nombre del objeto"),
            "event_type": a_field("Tipo_Cambio__c", "Tipo de cambio"),
            "processed_at": when("Fecha_Proceso__c", "Fecha de proceso"),
            "salesforce_id": a_field("Id_Registro__c", "ID de registro", length=18),
            "storeconnect_id": a_field("Id_Externo__c", "ID externo", length=40),
            "message": long_text("Mensaje_Error__c", "Mensaje de error"),
            "code": a_field("Codigo_Error__c", "Código de error"),
        },
        long_text("Comentario__c", "Comentario"),
        failed="Fallido",
        done="Completado",
        kinds=("Creación", "Actualización", "Eliminación"),
    )


def japanese() -> Case:
    """Japanese labels over API names that say nothing; no code, the record by lookup."""
    return case(
        "japanese",
        "jp__K001__c",
        "変更イベント",
        {
            "object": a_field("jp__F01__c", "対象オブジェクト"),
            "event_type": choice("jp__F02__c", "イベント種別", ("1", "作成"), ("2", "更新"), ("3", "削除")),
            "processed_at": when("jp__F03__c", "処理日時"),
            "salesforce_id": a_field("jp__F04__c", "レコード", "reference", referenceTo=["Account", "Order"]),
            "storeconnect_id": a_field("jp__F05__c", "ストアID", length=36),
            "message": long_text("jp__F06__c", "エラーメッセージ"),
            "status": choice("jp__F07__c", "ステータス", ("10", "処理中"), ("20", "完了"), ("90", "失敗")),
        },
        long_text("jp__F08__c", "備考"),
        when("jp__F09__c", "次回処理日時"),
        failed="90",
        done="20",
        pending=("10",),
        kinds=("1", "2", "3"),
        pointer=RecordPointer.LOOKUP,
    )


def dutch() -> Case:
    """Dutch labels, no Salesforce ID at all, the operation as one letter."""
    return case(
        "dutch",
        "Wijziging__c",
        "Wijzigingsgebeurtenis",
        {
            "object": a_field("Tabel__c", "Objectnaam"),
            "event_type": a_field("Bewerking__c", "Soort wijziging", length=1),
            "processed_at": when("Verwerkt_op__c", "Verwerkt op"),
            "storeconnect_id": a_field("Sleutel__c", "Externe sleutel", length=36),
            "message": long_text("Melding__c", "Foutmelding"),
            "status": choice("Toestand__c", "Toestand", "Nieuw", "Gereed", "Mislukt"),
        },
        when("Ontvangen_op__c", "Ontvangen op"),
        failed="Mislukt",
        done="Gereed",
        pending=("Nieuw",),
        kinds=("C", "U", "D"),
        more={"Ontvangen_op__c": "2026-11-01T00:00:00.000+0000"},
        pointer=RecordPointer.NONE,
    )


def another_namespace() -> Case:
    """The package under another namespace; the event has a UUID and ids of its own that mislead."""
    return case(
        "another namespace",
        "shop__Change_Event__c",
        "Change Event",
        {
            "object": a_field("shop__Record_Type_Name__c", "Entity"),
            "event_type": a_field("shop__Operation__c", "Operation"),
            "processed_at": when("shop__Last_Attempt__c", "Last Attempt"),
            "salesforce_id": a_field("shop__Target__c", "Target Record ID", length=18),
            "storeconnect_id": a_field("shop__sC_Id__c", "StoreConnect ID", length=36),
            "message": long_text("shop__Failure_Reason__c", "Failure Reason"),
            "status": a_field("shop__State__c", "State"),
            "code": a_field("shop__Failure_Code__c", "Failure Code"),
        },
        a_field("shop__Event_Uuid__c", "Event UUID", length=36, unique=True, externalId=True),
        a_field("shop__Job__c", "Job ID", length=18),
        when("shop__Next_Attempt__c", "Next Attempt"),
        long_text("shop__Stack__c", "Stack Trace"),
        a_field("shop__Http__c", "HTTP Status"),
        failed="ERROR",
        done="DONE",
        kinds=("insert", "update", "delete"),
        more={
            "shop__Event_Uuid__c": lambda n: uuid(n + 1000),
            "shop__Job__c": lambda n: record_id("707", n),
            "shop__Stack__c": "System.DmlException: Insert failed. First exception on row 0; Class.X: line 1",
            "shop__Http__c": "400",
            "shop__Next_Attempt__c": None,
        },
        objects=[record_object(name, "shop__sC_Id__c") for name in ("Account", "Order")],
        record_key="shop__sC_Id__c",
    )


def values_only() -> Case:
    """Neither labels nor names say anything: only what the rows hold does."""

    def column(number: int, **more: Any) -> Row:
        return a_field(f"C{number}__c", f"Column {number}", length=36, **more)

    return case(
        "values only",
        "X17__c",
        "X17",
        {
            "object": column(1),
            "event_type": column(2),
            "salesforce_id": column(4),
            "storeconnect_id": column(5),
            "status": column(7),
            "code": column(8),
            "processed_at": when("C3__c", "Column 3"),
            "message": long_text("C6__c", "Column 6"),
        },
        long_text("C9__c", "Column 9"),
        column(10, unique=True),
        failed="failed",
        done="ok",
        more={
            "C9__c": lambda number: f'{{"Name": "a record called {number}", "code": "NOT_A_CODE"}}',
            "C10__c": lambda number: uuid(number + 5000),
        },
        objects=[*SYNCED, an_object("Sync_Settings__c", "Sync Settings")],
    )


def french() -> Case:
    """French labels with a status in French values, and a resolved state that sounds like a failure."""
    kinds = ("Création", "Mise à jour", "Suppression")
    return case(
        "french",
        "s_c__Change_Event__c",
        "Événement de modification",
        {
            "object": a_field("Objet__c", "Objet"),
            "event_type": choice("Type_Evenement__c", "Type d'événement", *kinds),
            "processed_at": when("Traite_Le__c", "Traité le"),
            "salesforce_id": a_field("Id_Salesforce__c", "ID Salesforce", length=18),
            "storeconnect_id": a_field("Identifiant_StoreConnect__c", "Identifiant StoreConnect", length=36),
            "message": long_text("Message_Erreur__c", "Message d'erreur"),
            "status": choice("Statut__c", "Statut", "En attente", "Traité", "Échoué", "Erreur résolue"),
            "code": a_field("Code_Erreur__c", "Code d'erreur"),
        },
        when("Cree_Le__c", "Créé le"),
        long_text("Solution__c", "Solution proposée"),
        failed="Échoué",
        done="Traité",
        pending=("En attente",),
        kinds=kinds,
        more={"Solution__c": "Demandez à un admin de corriger la règle"},
    )


def portuguese() -> Case:
    """Portuguese; two lookups, of which one is the store and not the record."""
    return case(
        "portuguese",
        "nx__Erro_Sincronizacao__c",
        "Erro de sincronização",
        {
            "salesforce_id": a_field("nx__Registro__c", "Registro", "reference", referenceTo=["Account"]),
            "object": a_field("nx__Entidade__c", "Entidade"),
            "event_type": a_field("nx__Acao__c", "Ação"),
            "processed_at": when("nx__Processado_Em__c", "Processado em"),
            "storeconnect_id": a_field("nx__Id_Loja__c", "ID do StoreConnect", length=36),
            "message": long_text("nx__Mensagem__c", "Mensagem"),
            "status": a_field("nx__Situacao__c", "Situação"),
        },
        a_field("nx__Loja__c", "Loja", "reference", referenceTo=["s_c__Store__c"]),
        failed="Falhou",
        done="Concluído",
        kinds=("Criar", "Atualizar", "Excluir"),
        more={"nx__Loja__c": record_id("a05", 1)},
        pointer=RecordPointer.LOOKUP,
        objects=[*SYNCED, an_object("s_c__Store__c", "Store")],
    )


def beside_a_log() -> Case:
    """An integration log of the org's own has the same labels and failed rows as well."""
    log = case(
        "log",
        "Integration_Log__c",
        "Integration Log",
        {
            "object": a_field("Object__c", "Object"),
            "event_type": a_field("Event_Type__c", "Event Type"),
            "processed_at": when("Processed_At__c", "Processed At"),
            "salesforce_id": a_field("Salesforce_ID__c", "Salesforce ID", length=18),
            "storeconnect_id": a_field("External_ID__c", "External ID", length=36),
            "message": long_text("Message__c", "Message"),
            "status": a_field("Status__c", "Status"),
        },
    ).org
    base = manual()
    org = FakeOrg([*base.org.objects, log.objects[-1]], {**base.org.rows, **log.rows})
    return replace(base, name="beside a log", org=org)


def empty() -> Case:
    """The manual's org before anything ever failed: no row to look at."""
    base = manual()
    return replace(base, name="empty", org=FakeOrg(base.org.objects))


CASES = [
    manual(),
    spanish(),
    japanese(),
    dutch(),
    another_namespace(),
    values_only(),
    french(),
    portuguese(),
    beside_a_log(),
    empty(),
]


def explain(proposal: Proposal) -> str:
    lines = [f"{proposal.object_name} {proposal.object_reason} doubts={proposal.doubts}"]
    for role, ranked in proposal.ranked.items():
        lines.append(f"{role}: {proposal.chosen.get(role)}")
        lines += [f"     {one.points:4} {one.name} {one.label}: {one.reason}" for one in ranked[:3]]
    return "\n".join(lines)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_an_org_is_understood_whatever_it_calls_things(case: Case) -> None:
    proposal = await discover(case.org)
    why = explain(proposal)
    assert proposal.doubts == (), why
    mapping = proposal.mapping()
    assert mapping.object_name == case.object_name, why
    names = {role.value: getattr(mapping, role.value) for role in FieldRole}
    assert names == case.fields, why
    assert mapping.failed == case.failed, why
    assert mapping.pointer is case.pointer
    assert mapping.pending == case.pending
    assert mapping.done == case.done
    assert mapping.record_key == case.record_key
    assert mapping.event_types == case.kinds


async def test_the_known_object_is_looked_at_alone() -> None:
    org = manual().org
    await discover(org)
    assert org.described[0] == "s_c__Change_Event__c"
    assert "s_c__Content_Change__c" not in org.described


def changed(case: Case, replace: dict[str, Row], rows: list[Row] | None = None) -> FakeOrg:
    """The same org with some fields of its change event exchanged, or added."""
    objects = []
    for one in case.org.objects:
        if one["name"] == case.object_name:
            fields = [replace.get(field["name"], field) for field in one["fields"]]
            known = {field["name"] for field in fields}
            fields += [field for name, field in replace.items() if field["name"] not in known]
            objects.append({**one, "fields": fields})
        else:
            objects.append(one)
    return FakeOrg(objects, {case.object_name: rows} if rows is not None else case.org.rows)


async def test_ids_of_something_else_are_not_the_salesforce_id() -> None:
    case = manual()
    gone = {"s_c__Salesforce_Id__c": a_field("s_c__Ref__c", "Reference", "string", 18)}
    rows = [
        {**row, "s_c__Ref__c": record_id("707", number)}
        for number, row in enumerate(case.org.rows[case.object_name])
    ]
    proposal = await discover(changed(case, gone, rows))
    assert FieldRole.SALESFORCE_ID not in proposal.chosen, explain(proposal)


async def test_ids_that_fit_a_few_rows_only_are_not_the_salesforce_id() -> None:
    case = manual()
    field = a_field("s_c__Parent_Id__c", "Parent Record ID", length=18)
    rows = [
        {
            **row,
            field["name"]: record_id("001", 3),
            "s_c__Object__c": ("Account", "Contact", "Order")[at // 3 % 3],
        }
        for at, row in enumerate(case.org.rows[case.object_name])
    ]
    org = changed(case, {"s_c__Salesforce_Id__c": field}, rows)
    assert (await discover(org)).mapping().salesforce_id is None


async def test_two_messages_that_are_alike_are_asked_about() -> None:
    case = manual()
    second = a_field("s_c__Error_Message__c", "Error Message", "textarea")
    rows = [
        {**row, "s_c__Error_Message__c": row["s_c__Message__c"]} for row in case.org.rows[case.object_name]
    ]
    proposal = await discover(changed(case, {"x": second}, rows))
    assert [doubt.about for doubt in proposal.doubts] == ["message"]
    assert {one.name for one in proposal.doubts[0].options} == {"s_c__Message__c", "s_c__Error_Message__c"}
    with pytest.raises(BadInputError, match="may be the message"):
        proposal.mapping()


async def test_what_a_person_names_settles_a_doubt() -> None:
    case = manual()
    second = a_field("s_c__Error_Message__c", "Error Message", "textarea")
    rows = [
        {**row, "s_c__Error_Message__c": row["s_c__Message__c"]} for row in case.org.rows[case.object_name]
    ]
    proposal = await discover(
        changed(case, {"x": second}, rows),
        Overrides(fields={FieldRole.MESSAGE: "s_c__Error_Message__c", FieldRole.SALESFORCE_ID: None}),
    )
    mapping = proposal.mapping()
    assert mapping.message == "s_c__Error_Message__c"
    assert mapping.salesforce_id is None
    assert mapping.pointer is RecordPointer.NONE


async def test_a_status_that_may_mean_failed_is_asked_about() -> None:
    case = manual()
    values = [("Received", "Received"), ("Rejected", "Rejected"), ("Applied", "Applied")]
    field = a_field("s_c__Status__c", "Status", "picklist", values=values)
    rows = [
        {**row, "s_c__Status__c": "Rejected" if row["s_c__Status__c"] == "FAILED" else "Applied"}
        for row in case.org.rows[case.object_name]
    ]
    org = changed(case, {"s_c__Status__c": field}, rows)
    doubt = next(doubt for doubt in (await discover(org)).doubts if doubt.about == "failed")
    assert {one.name for one in doubt.options} == {"Received", "Rejected", "Applied"}
    assert (await discover(org, Overrides(failed=("Rejected",)))).mapping().failed == ("Rejected",)


async def test_two_objects_of_the_same_shape_are_asked_about() -> None:
    case = spanish()
    twin = next(one for one in case.org.objects if one["name"] == case.object_name)
    second = {**twin, "name": "Evento_Sincronizacion__c", "label": "Error de sincronización"}
    rows = {**case.org.rows, second["name"]: case.org.rows[case.object_name]}
    proposal = await discover(FakeOrg([*case.org.objects, second], rows))
    assert proposal.doubts[0].about == THE_OBJECT
    assert {one.name for one in proposal.doubts[0].options} == {case.object_name, second["name"]}
    named = await discover(FakeOrg([*case.org.objects, second], rows), Overrides(second["name"]))
    assert named.mapping().object_name == "Evento_Sincronizacion__c"


async def test_a_name_that_only_sounds_like_it_is_not_called_storeconnects_own() -> None:
    case = manual()
    named = {**case.org.objects[-1], "name": "s_c__Sync_Event__c", "label": "Sync Event"}
    rows = {named["name"]: case.org.rows[case.object_name]}
    proposal = await discover(FakeOrg([*case.org.objects[:-1], named], rows))
    assert proposal.object_name == "s_c__Sync_Event__c"
    assert proposal.object_reason == "its name sounds like it"
    assert (await discover(case.org)).object_reason == "the name that StoreConnect uses"


async def test_an_org_without_change_events_is_told_what_to_do() -> None:
    with pytest.raises(BadInputError, match="Nothing in this org looks like") as caught:
        await discover(FakeOrg([*SYNCED, an_object("Invoice__c", "Invoice", a_field("Status__c", "Status"))]))
    assert "--object" in caught.value.hint


async def test_an_object_or_field_that_is_not_there_is_named() -> None:
    with pytest.raises(BadInputError, match="no object Nope__c"):
        await discover(manual().org, Overrides("Nope__c"))
    with pytest.raises(BadInputError, match="no field Nope__c"):
        await discover(manual().org, Overrides(fields={FieldRole.MESSAGE: "Nope__c"}))


async def test_a_refused_sample_is_said_and_names_have_to_do() -> None:
    org = manual().org
    org.queries_refused = True
    proposal = await discover(org)
    assert proposal.mapping().message == "s_c__Message__c"
    assert any(note.startswith("No sample rows") for note in proposal.notes)


async def test_a_kind_of_change_that_nobody_knows_is_said() -> None:
    case = manual()
    values = [(value, value) for value in ("Create", "Update", "Delete", "Merge")]
    field = a_field("s_c__Event_Type__c", "Event Type", "picklist", values=values)
    proposal = await discover(changed(case, {"s_c__Event_Type__c": field}))
    assert "Merge" not in proposal.event_types
    assert any("'Merge'" in note for note in proposal.notes)


async def test_an_org_of_many_objects_is_not_described_from_end_to_end() -> None:
    case = manual()
    many = [
        an_object(f"Thing_{number}__c", f"Thing {number}", a_field("Status__c", "Status"))
        for number in range(300)
    ]
    org = FakeOrg([*many, *case.org.objects], case.org.rows)
    assert (await discover(org)).object_name == case.object_name
    assert len(org.described) < 5


async def test_a_better_object_behind_a_silent_name_is_found() -> None:
    """A log that sounds right and fits roughly does not hide the one that fits."""
    case = values_only()
    log = an_object(
        "Error_Journal__c",
        "Error Journal",
        a_field("Object__c", "Object"),
        a_field("Kind__c", "Severity", length=40),
        a_field("Status__c", "Status", "picklist", values=[("Open", "Open"), ("Failed", "Failed")]),
        a_field("Key__c", "External ID", length=36),
        a_field("Text__c", "Message", "textarea"),
    )
    org = FakeOrg([*case.org.objects, log], case.org.rows)
    proposal = await discover(org)
    named = {one.name for doubt in proposal.doubts if doubt.about == "object" for one in doubt.options}
    assert proposal.object_name == case.object_name or case.object_name in named, explain(proposal)


@pytest.mark.parametrize(
    ("value", "standing"),
    [
        ("FAILED", Standing.FAILED),
        ("Sync failed", Standing.FAILED),
        ("Fehlgeschlagen", Standing.FAILED),
        ("Verarbeitungsfehler", Standing.FAILED),
        ("Échoué", Standing.FAILED),
        ("Non riuscito", Standing.FAILED),
        ("Not synced", Standing.FAILED),
        ("処理失敗", Standing.FAILED),
        ("Błąd", Standing.FAILED),
        ("Unsuccessful", Standing.FAILED),
        ("No error", Standing.OTHER),
        ("Failed - resolved", Standing.OTHER),
        ("Erreur résolue", Standing.OTHER),
        ("Completed with errors", Standing.PERHAPS),
        ("Rejected", Standing.PERHAPS),
        ("Failed, retrying", Standing.PENDING),
        ("In Bearbeitung", Standing.PENDING),
        ("処理中", Standing.PENDING),
        ("Processed", Standing.DONE),
        ("Successfully synced", Standing.DONE),
        ("Completado", Standing.DONE),
        ("完了", Standing.DONE),
        ("処理済み", Standing.DONE),
        ("未完了", Standing.OTHER),
        ("Completed with warnings", Standing.OTHER),
        ("Partially processed", Standing.OTHER),
        ("Not processed", Standing.OTHER),
        ("Archived", Standing.OTHER),
    ],
)
def test_what_a_status_value_means(value: str, standing: Standing) -> None:
    assert standing_of(value) is standing


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("INSERT", EventType.CREATE),
        ("order.created", EventType.CREATE),
        ("Neuanlage", EventType.CREATE),
        ("Mise à jour", EventType.UPDATE),
        ("Ändern", EventType.UPDATE),
        ("更新", EventType.UPDATE),
        ("Löschung", EventType.DELETE),
        ("D", EventType.DELETE),
        ("Upsert", None),
        ("Merge", None),
        ("Create or update", None),
    ],
)
def test_what_an_event_type_value_means(value: str, kind: EventType | None) -> None:
    assert event_type_of(value) is kind


async def test_kinds_of_change_that_no_sample_holds_are_asked_for() -> None:
    case = spanish()
    rows = case.org.rows[case.object_name]
    often = [{**row, "Tipo_Cambio__c": "Creación"} for row in rows for _ in range(4)]
    rare = {**rows[1], "Tipo_Cambio__c": "Eliminación"}
    proposal = await discover(FakeOrg(case.org.objects, {case.object_name: [*often, rare]}))
    assert proposal.event_types["Eliminación"] is EventType.DELETE


async def test_a_kind_that_never_occurred_has_its_plain_name() -> None:
    proposal = await discover(empty().org)
    assert set(proposal.mapping().event_types.values()) == {
        EventType.CREATE,
        EventType.UPDATE,
        EventType.DELETE,
    }


async def test_hostile_labels_become_harmless() -> None:
    case = manual()
    field: dict[str, Any] = a_field("s_c__Message__c", "Message\x1b]52;c;AAAA\x07", "textarea")
    proposal = await discover(changed(case, {"s_c__Message__c": field}))
    assert all("\x1b" not in one.label for ranked in proposal.ranked.values() for one in ranked)


class NarrowOrg(FakeOrg):
    """Refuses what no server takes: an address and headers of more than 16,384 bytes."""

    async def first_page(self, query: str) -> list[Row]:
        if len(quote(query, safe="")) > 15_000:
            raise UnreachableError("HTTP 414")
        return await super().first_page(query)


def widened(one: Row, fields: int) -> Row:
    """The same object with hundreds of fields more."""
    more = [a_field(f"s_c__Custom_Text_Field_{n:03}__c", f"Custom {n}") for n in range(fields)]
    return {**one, "fields": [*one["fields"], *more]}


async def test_an_object_of_600_fields_is_read_in_several_queries() -> None:
    base = manual()
    objects = [widened(one, 600) if one["name"] == base.object_name else one for one in base.org.objects]
    org = NarrowOrg(objects, base.org.rows)
    mapping = (await discover(org)).mapping()
    assert {role.value: getattr(mapping, role.value) for role in FieldRole} == base.fields
    assert mapping.failed == base.failed


async def test_a_wide_neighbour_does_not_keep_a_renamed_object_from_being_found() -> None:
    base = another_namespace()
    wide = widened(an_object("Sync_Queue__c", "Sync Queue", *base.org.objects[-1]["fields"][9:]), 700)
    rows = {**base.org.rows, "Sync_Queue__c": []}
    proposal = await discover(NarrowOrg([*base.org.objects, wide], rows))
    assert proposal.object_name == base.object_name


async def test_a_neighbour_that_answers_in_another_form_is_passed_over() -> None:
    class OddNeighbour(FakeOrg):
        async def describe(self, object_name: str) -> Row:
            if object_name == "Sync_Queue__c":
                raise WrongShapeError("not Salesforce's")
            return await super().describe(object_name)

    base = another_namespace()
    org = OddNeighbour([*base.org.objects, an_object("Sync_Queue__c", "Sync Queue")], base.org.rows)
    assert (await discover(org)).object_name == base.object_name


async def test_several_kinds_of_failure_are_all_proposed_and_asked_about() -> None:
    case = manual()
    values = [
        (v, v) for v in ("Failed", "Failed Permanently", "Rejected", "Pending", "Processed", "Archived")
    ]
    field = a_field("s_c__Status__c", "Status", "picklist", values=values)
    rows = [
        {**row, "s_c__Status__c": {"FAILED": "Failed"}.get(row["s_c__Status__c"], "Processed")}
        for row in case.org.rows[case.object_name]
    ]
    org = changed(case, {"s_c__Status__c": field}, rows)
    proposal = await discover(org)
    assert proposal.failed == ("Failed", "Failed Permanently", "Rejected")
    assert [doubt.about for doubt in proposal.doubts] == ["failed"]
    assert (proposal.pending, proposal.done, proposal.unclear) == (
        ("Pending",),
        ("Processed",),
        ("Archived",),
    )
    named = await discover(org, Overrides(failed=("Failed",), done=("Processed", "Archived")))
    assert (named.failed, named.pending) == (("Failed",), ("Pending",))
    assert named.done == ("Processed", "Archived")
    assert named.unclear == ("Failed Permanently", "Rejected"), "neither listed nor proof"


@pytest.mark.parametrize(
    ("values", "asked"),
    [
        (("Failed", "Failed (Final)"), True),
        (("RETRYABLE_ERROR", "PERMANENT_ERROR"), True),
        (("Fehlgeschlagen", "Endgültig fehlgeschlagen"), True),
        (("Échoué", "Échec définitif"), True),
        (("Error", "Hard Error"), True),
        (("Failed", "Error"), False),
        (("FATAL_ERROR",), False),
    ],
)
async def test_a_failure_for_good_beside_another_is_asked_about(values: tuple[str, ...], asked: bool) -> None:
    known = [(value, value) for value in ("Pending", "Processed", *values)]
    field = a_field("s_c__Status__c", "Status", "picklist", values=known)
    proposal = await discover(with_status(field, failed=values[0], done="Processed"))
    assert proposal.failed == values
    assert ["failed"] * asked == [doubt.about for doubt in proposal.doubts]
    for doubt in proposal.doubts:
        assert tuple(one.name for one in doubt.options[: len(values)]) == values, "the likeliest first"


def with_status(field: Row, failed: Any, done: Any) -> FakeOrg:
    """The manual's org with another status field, whose rows hold these values."""
    case = manual()
    rows = [
        {**row, field["name"]: failed if row["s_c__Status__c"] == "FAILED" else done}
        for row in case.org.rows[case.object_name]
    ]
    return changed(case, {"s_c__Status__c": field}, rows)


async def test_a_checkbox_that_says_failed_is_a_status() -> None:
    org = with_status(a_field("s_c__Failed__c", "Failed", "boolean"), failed=True, done=False)
    proposal = await discover(org, Overrides(done=("false",)))
    mapping = proposal.mapping()
    assert (mapping.status, mapping.status_type) == ("s_c__Failed__c", "boolean")
    assert (mapping.failed, mapping.done) == (("true",), ("false",))
    assert "s_c__Failed__c = true LIMIT" in org.queries[-1]
    assert (await discover(org)).unclear == ("false",), "not failed may also mean not done yet"


@pytest.mark.parametrize("label", ["Archived", "Notify on Error", "Ignore Errors"])
async def test_a_checkbox_that_says_something_else_is_none(label: str) -> None:
    name = f"s_c__{label.replace(' ', '_')}__c"
    org = with_status(a_field(name, label, "boolean"), failed=True, done=False)
    assert [doubt.about for doubt in (await discover(org)).doubts] == ["status"]


@pytest.mark.parametrize("kind", ["textarea", "encryptedstring"])
async def test_a_status_in_a_field_of_any_kind_is_found(kind: str) -> None:
    field = a_field("s_c__Status__c", "Status", kind, filterable=False, groupable=False)
    mapping = (await discover(with_status(field, failed="FAILED", done="PROCESSED"))).mapping()
    assert (mapping.status, mapping.failed) == ("s_c__Status__c", ("FAILED",))
    assert not mapping.status_filterable


async def test_what_a_number_as_status_means_is_asked() -> None:
    field = a_field("s_c__Status__c", "Status", "double", groupable=False)
    proposal = await discover(with_status(field, failed=2.0, done=1.0))
    assert [doubt.about for doubt in proposal.doubts] == ["failed"]
    assert {one.name for one in proposal.doubts[0].options} == {"1", "2"}
    assert {one.reason for one in proposal.doubts[0].options} == {"unclear"}


@pytest.mark.parametrize("value", ["AUS", "BATCH_2026_11"])
async def test_a_code_that_holds_no_codes_is_left_to_the_message(value: str) -> None:
    case = manual()
    rows = [{**row, "s_c__Code__c": value} for row in case.org.rows[case.object_name]]
    proposal = await discover(changed(case, {"s_c__Code__c": a_field("s_c__Code__c", "Code")}, rows))
    assert proposal.mapping().code is None


async def test_the_time_it_occurred_is_no_rival_of_the_time_it_was_processed() -> None:
    case = manual()
    times = {"s_c__Occurred_At__c": when("s_c__Occurred_At__c", "Occurred At")}
    rows = [
        {**row, "s_c__Occurred_At__c": row["s_c__Processed_At__c"]} for row in case.org.rows[case.object_name]
    ]
    assert (await discover(changed(case, times, rows))).mapping().processed_at == "s_c__Processed_At__c"


async def test_a_multi_select_status_is_asked_for_by_includes() -> None:
    values = [(value, value) for value in ("Failed", "Seen", "Processed")]
    field = a_field("s_c__Status__c", "Status", "multipicklist", values=values, groupable=False)
    org = with_status(field, failed="Failed;Seen", done="Processed;Seen")
    mapping = (await discover(org, Overrides(done=("Processed", "Seen")))).mapping()
    assert (mapping.status_type, mapping.failed) == ("multipicklist", ("Failed",))
    assert "INCLUDES ('Failed')" in " ".join(org.queries)


async def test_a_status_that_takes_no_condition_is_told_with_its_price() -> None:
    field = a_field("s_c__Status__c", "Status", "textarea", filterable=False, groupable=False)
    org = with_status(field, failed="FAILED", done="PROCESSED")
    proposal = await discover(org, Overrides(fields={FieldRole.STATUS: "s_c__Status__c"}))
    mapping = proposal.mapping()
    assert (mapping.failed, mapping.done) == (("FAILED",), ("PROCESSED",))
    assert not mapping.status_filterable
    assert any("reads all change events" in note for note in proposal.notes)
    assert not any("WHERE s_c__Status__c" in query for query in org.queries)
