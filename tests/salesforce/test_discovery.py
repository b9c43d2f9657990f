"""Discovery in orgs that share no names: what must be found, and where a person must be asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest

from syncerr_tui.errors import BadInputError, UnreachableError
from syncerr_tui.model import EventType
from syncerr_tui.salesforce.discovery import discover
from syncerr_tui.salesforce.profiles import RecordPointer
from syncerr_tui.salesforce.proposal import THE_OBJECT, Proposal
from syncerr_tui.salesforce.responses import WrongShapeError
from syncerr_tui.salesforce.vocabulary import FieldRole, Standing, event_type_of, standing_of
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
    pointer: RecordPointer = RecordPointer.TEXT
    kinds: dict[str, EventType] | None = None
    pending: tuple[str, ...] = ()
    done: tuple[str, ...] = ("PROCESSED",)
    record_key: str = "s_c__sC_Id__c"


def manual() -> Case:
    """The manual's labels under the package's namespace, between objects that only sound like it."""
    names = {
        "object": "s_c__Object__c",
        "event_type": "s_c__Event_Type__c",
        "processed_at": "s_c__Processed_At__c",
        "salesforce_id": "s_c__Salesforce_Id__c",
        "storeconnect_id": "s_c__StoreConnect_Id__c",
        "message": "s_c__Message__c",
        "status": "s_c__Status__c",
    }
    event = an_object(
        "s_c__Change_Event__c",
        "Change Event",
        a_field("s_c__Object__c", "Object"),
        a_field(
            "s_c__Event_Type__c",
            "Event Type",
            "picklist",
            values=[(v, v) for v in ("Create", "Update", "Delete")],
        ),
        a_field("s_c__Processed_At__c", "Processed At", "datetime"),
        a_field("s_c__Salesforce_Id__c", "Salesforce ID", "string", 18),
        a_field("s_c__StoreConnect_Id__c", "StoreConnect ID", "string", 36),
        a_field("s_c__Message__c", "Message", "textarea"),
        a_field("s_c__Payload__c", "Payload", "textarea"),
        a_field(
            "s_c__Status__c",
            "Status",
            "picklist",
            values=[("PENDING", "Pending"), ("PROCESSED", "Processed"), ("FAILED", "Failed")],
        ),
        a_field("s_c__Retry_At__c", "Next Retry At", "datetime"),
    )
    decoys = [
        an_object(
            "s_c__Content_Change__c", "Content Change", a_field("s_c__Status__c", "Status", "picklist")
        ),
        an_object(
            "s_c__Error_Definition__c", "Error Definition", a_field("s_c__Message__c", "Message", "textarea")
        ),
        an_object("s_c__Sync_Summary__c", "Sync Summary"),
    ]
    return Case(
        "manual",
        FakeOrg([*SYNCED, *decoys, event], {event["name"]: events(names, more={"s_c__Payload__c": PAYLOAD})}),
        "s_c__Change_Event__c",
        {**names, "code": None},
        ("FAILED",),
        pending=("PENDING",),
    )


def spanish() -> Case:
    """Spanish throughout, no namespace, the status is free text, the code has a field."""
    names = {
        "object": "Nombre_Objeto__c",
        "event_type": "Tipo_Cambio__c",
        "processed_at": "Fecha_Proceso__c",
        "salesforce_id": "Id_Registro__c",
        "storeconnect_id": "Id_Externo__c",
        "message": "Mensaje_Error__c",
        "status": "Estado__c",
        "code": "Codigo_Error__c",
    }
    event = an_object(
        "Evento_Cambio__c",
        "Evento de cambio",
        a_field("Estado__c", "Estado", length=40),
        a_field("Nombre_Objeto__c", "Nombre del objeto"),
        a_field("Tipo_Cambio__c", "Tipo de cambio"),
        a_field("Fecha_Proceso__c", "Fecha de proceso", "datetime"),
        a_field("Id_Registro__c", "ID de registro", length=18),
        a_field("Id_Externo__c", "ID externo", length=40),
        a_field("Mensaje_Error__c", "Mensaje de error", "textarea"),
        a_field("Comentario__c", "Comentario", "textarea"),
        a_field("Codigo_Error__c", "Código de error"),
    )
    rows = events(
        names, failed="Fallido", done="Completado", kinds=("Creación", "Actualización", "Eliminación")
    )
    kinds = {
        "Creación": EventType.CREATE,
        "Actualización": EventType.UPDATE,
        "Eliminación": EventType.DELETE,
    }
    return Case(
        "spanish",
        FakeOrg([*SYNCED, event], {event["name"]: rows}),
        "Evento_Cambio__c",
        dict(names),
        ("Fallido",),
        done=("Completado",),
        kinds=kinds,
    )


def japanese() -> Case:
    """Japanese labels over API names that say nothing; no code, the record by lookup."""
    names = {
        "object": "jp__F01__c",
        "event_type": "jp__F02__c",
        "processed_at": "jp__F03__c",
        "salesforce_id": "jp__F04__c",
        "storeconnect_id": "jp__F05__c",
        "message": "jp__F06__c",
        "status": "jp__F07__c",
    }
    event = an_object(
        "jp__K001__c",
        "変更イベント",
        a_field("jp__F01__c", "対象オブジェクト"),
        a_field(
            "jp__F02__c", "イベント種別", "picklist", values=[("1", "作成"), ("2", "更新"), ("3", "削除")]
        ),
        a_field("jp__F03__c", "処理日時", "datetime"),
        a_field("jp__F04__c", "レコード", "reference", referenceTo=["Account", "Order"]),
        a_field("jp__F05__c", "ストアID", length=36),
        a_field("jp__F06__c", "エラーメッセージ", "textarea"),
        a_field(
            "jp__F07__c", "ステータス", "picklist", values=[("10", "処理中"), ("20", "完了"), ("90", "失敗")]
        ),
        a_field("jp__F08__c", "備考", "textarea"),
        a_field("jp__F09__c", "次回処理日時", "datetime"),
    )
    rows = events(names, failed="90", done="20", kinds=("1", "2", "3"))
    return Case(
        "japanese",
        FakeOrg([*SYNCED, event], {event["name"]: rows}),
        "jp__K001__c",
        {**names, "code": None},
        ("90",),
        done=("20",),
        pointer=RecordPointer.LOOKUP,
        kinds={"1": EventType.CREATE, "2": EventType.UPDATE, "3": EventType.DELETE},
        pending=("10",),
    )


def dutch() -> Case:
    """Dutch labels, no Salesforce ID at all, the operation as one letter."""
    names = {
        "object": "Tabel__c",
        "event_type": "Bewerking__c",
        "processed_at": "Verwerkt_op__c",
        "storeconnect_id": "Sleutel__c",
        "message": "Melding__c",
        "status": "Toestand__c",
    }
    event = an_object(
        "Wijziging__c",
        "Wijzigingsgebeurtenis",
        a_field("Tabel__c", "Objectnaam"),
        a_field("Bewerking__c", "Soort wijziging", length=1),
        a_field("Verwerkt_op__c", "Verwerkt op", "datetime"),
        a_field("Ontvangen_op__c", "Ontvangen op", "datetime"),
        a_field("Sleutel__c", "Externe sleutel", length=36),
        a_field("Melding__c", "Foutmelding", "textarea"),
        a_field(
            "Toestand__c",
            "Toestand",
            "picklist",
            values=[("Nieuw", "Nieuw"), ("Gereed", "Gereed"), ("Mislukt", "Mislukt")],
        ),
    )
    rows = events(
        names,
        failed="Mislukt",
        done="Gereed",
        kinds=("C", "U", "D"),
        more={"Ontvangen_op__c": "2026-11-01T00:00:00.000+0000"},
    )
    return Case(
        "dutch",
        FakeOrg([*SYNCED, event], {event["name"]: rows}),
        "Wijziging__c",
        {**names, "salesforce_id": None, "code": None},
        ("Mislukt",),
        done=("Gereed",),
        pointer=RecordPointer.NONE,
        kinds={"C": EventType.CREATE, "U": EventType.UPDATE, "D": EventType.DELETE},
        pending=("Nieuw",),
    )


def another_namespace() -> Case:
    """The package under another namespace; the event has a UUID and ids of its own that mislead."""
    names = {
        "object": "shop__Record_Type_Name__c",
        "event_type": "shop__Operation__c",
        "processed_at": "shop__Last_Attempt__c",
        "salesforce_id": "shop__Target__c",
        "storeconnect_id": "shop__sC_Id__c",
        "message": "shop__Failure_Reason__c",
        "status": "shop__State__c",
        "code": "shop__Failure_Code__c",
    }
    event = an_object(
        "shop__Change_Event__c",
        "Change Event",
        a_field("shop__Event_Uuid__c", "Event UUID", length=36, unique=True, externalId=True),
        a_field("shop__Job__c", "Job ID", length=18),
        a_field("shop__Record_Type_Name__c", "Entity"),
        a_field("shop__Operation__c", "Operation"),
        a_field("shop__Last_Attempt__c", "Last Attempt", "datetime"),
        a_field("shop__Next_Attempt__c", "Next Attempt", "datetime"),
        a_field("shop__Target__c", "Target Record ID", length=18),
        a_field("shop__sC_Id__c", "StoreConnect ID", length=36),
        a_field("shop__Failure_Reason__c", "Failure Reason", "textarea"),
        a_field("shop__Stack__c", "Stack Trace", "textarea"),
        a_field("shop__State__c", "State"),
        a_field("shop__Http__c", "HTTP Status"),
        a_field("shop__Failure_Code__c", "Failure Code"),
    )
    rows = events(
        names,
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
    )
    synced = [record_object(name, "shop__sC_Id__c") for name in ("Account", "Order")]
    return Case(
        "another namespace",
        FakeOrg([*synced, event], {event["name"]: rows}),
        "shop__Change_Event__c",
        dict(names),
        ("ERROR",),
        done=("DONE",),
        record_key="shop__sC_Id__c",
    )


def values_only() -> Case:
    """Neither labels nor names say anything: only what the rows hold does."""
    names = {
        "object": "C1__c",
        "event_type": "C2__c",
        "salesforce_id": "C4__c",
        "storeconnect_id": "C5__c",
        "message": "C6__c",
        "status": "C7__c",
        "code": "C8__c",
        "processed_at": "C3__c",
    }
    event = an_object(
        "X17__c",
        "X17",
        *(a_field(f"C{n}__c", f"Column {n}", length=36) for n in (1, 2, 4, 5, 7, 8)),
        a_field("C3__c", "Column 3", "datetime"),
        a_field("C6__c", "Column 6", "textarea"),
        a_field("C9__c", "Column 9", "textarea"),
        a_field("C10__c", "Column 10", length=36, unique=True),
    )
    more = {
        "C9__c": lambda number: f'{{"Name": "a record called {number}", "code": "NOT_A_CODE"}}',
        "C10__c": lambda number: uuid(number + 5000),
    }
    rows = events(names, failed="failed", done="ok", more=more)
    return Case(
        "values only",
        FakeOrg([*SYNCED, an_object("Sync_Settings__c", "Sync Settings"), event], {"X17__c": rows}),
        "X17__c",
        dict(names),
        ("failed",),
        done=("ok",),
    )


def french() -> Case:
    """French labels with a status in French values, and a resolved state that sounds like a failure."""
    names = {
        "object": "Objet__c",
        "event_type": "Type_Evenement__c",
        "processed_at": "Traite_Le__c",
        "salesforce_id": "Id_Salesforce__c",
        "storeconnect_id": "Identifiant_StoreConnect__c",
        "message": "Message_Erreur__c",
        "status": "Statut__c",
        "code": "Code_Erreur__c",
    }
    event = an_object(
        "s_c__Change_Event__c",
        "Événement de modification",
        a_field("Objet__c", "Objet"),
        a_field(
            "Type_Evenement__c",
            "Type d'événement",
            "picklist",
            values=[("Création", "Création"), ("Mise à jour", "Mise à jour"), ("Suppression", "Suppression")],
        ),
        a_field("Traite_Le__c", "Traité le", "datetime"),
        a_field("Cree_Le__c", "Créé le", "datetime"),
        a_field("Id_Salesforce__c", "ID Salesforce", length=18),
        a_field("Identifiant_StoreConnect__c", "Identifiant StoreConnect", length=36),
        a_field("Message_Erreur__c", "Message d'erreur", "textarea"),
        a_field("Solution__c", "Solution proposée", "textarea"),
        a_field(
            "Statut__c",
            "Statut",
            "picklist",
            values=[(v, v) for v in ("En attente", "Traité", "Échoué", "Erreur résolue")],
        ),
        a_field("Code_Erreur__c", "Code d'erreur"),
    )
    rows = events(
        names,
        failed="Échoué",
        done="Traité",
        kinds=("Création", "Mise à jour", "Suppression"),
        more={"Solution__c": "Demandez à un admin de corriger la règle"},
    )
    return Case(
        "french",
        FakeOrg([*SYNCED, event], {event["name"]: rows}),
        "s_c__Change_Event__c",
        dict(names),
        ("Échoué",),
        done=("Traité",),
        kinds={
            "Création": EventType.CREATE,
            "Mise à jour": EventType.UPDATE,
            "Suppression": EventType.DELETE,
        },
        pending=("En attente",),
    )


def portuguese() -> Case:
    """Portuguese; two lookups, of which one is the store and not the record."""
    names = {
        "object": "nx__Entidade__c",
        "event_type": "nx__Acao__c",
        "processed_at": "nx__Processado_Em__c",
        "salesforce_id": "nx__Registro__c",
        "storeconnect_id": "nx__Id_Loja__c",
        "message": "nx__Mensagem__c",
        "status": "nx__Situacao__c",
    }
    event = an_object(
        "nx__Erro_Sincronizacao__c",
        "Erro de sincronização",
        a_field("nx__Loja__c", "Loja", "reference", referenceTo=["s_c__Store__c"]),
        a_field("nx__Registro__c", "Registro", "reference", referenceTo=["Account"]),
        a_field("nx__Entidade__c", "Entidade"),
        a_field("nx__Acao__c", "Ação"),
        a_field("nx__Processado_Em__c", "Processado em", "datetime"),
        a_field("nx__Id_Loja__c", "ID do StoreConnect", length=36),
        a_field("nx__Mensagem__c", "Mensagem", "textarea"),
        a_field("nx__Situacao__c", "Situação"),
    )
    rows = events(
        names,
        failed="Falhou",
        done="Concluído",
        kinds=("Criar", "Atualizar", "Excluir"),
        more={"nx__Loja__c": record_id("a05", 1)},
    )
    return Case(
        "portuguese",
        FakeOrg([*SYNCED, an_object("s_c__Store__c", "Store"), event], {event["name"]: rows}),
        "nx__Erro_Sincronizacao__c",
        {**names, "code": None},
        ("Falhou",),
        done=("Concluído",),
        pointer=RecordPointer.LOOKUP,
    )


def beside_a_log() -> Case:
    """An integration log of the org's own has the same labels and failed rows as well."""
    base = manual()
    names = {
        "object": "Object__c",
        "event_type": "Event_Type__c",
        "processed_at": "Processed_At__c",
        "salesforce_id": "Salesforce_ID__c",
        "storeconnect_id": "External_ID__c",
        "message": "Message__c",
        "status": "Status__c",
    }
    log = an_object(
        "Integration_Log__c",
        "Integration Log",
        a_field("Object__c", "Object"),
        a_field("Event_Type__c", "Event Type"),
        a_field("Processed_At__c", "Processed At", "datetime"),
        a_field("Salesforce_ID__c", "Salesforce ID", length=18),
        a_field("External_ID__c", "External ID", length=36),
        a_field("Message__c", "Message", "textarea"),
        a_field("Status__c", "Status"),
    )
    org = FakeOrg([*base.org.objects, log], {**base.org.rows, "Integration_Log__c": events(names)})
    return Case("beside a log", org, base.object_name, base.fields, base.failed, pending=base.pending)


def empty() -> Case:
    """The manual's org before anything ever failed: no row to look at."""
    base = manual()
    return Case(
        "empty", FakeOrg(base.org.objects), base.object_name, base.fields, base.failed, pending=base.pending
    )


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
    found = {role.value: getattr(mapping, role.value) for role in FieldRole}
    assert found == case.fields, why
    assert mapping.failed == case.failed, why
    assert mapping.pointer is case.pointer
    assert mapping.pending == case.pending
    assert mapping.done == case.done
    assert mapping.record_key == case.record_key
    if case.kinds is not None:
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
        fixed={FieldRole.MESSAGE: "s_c__Error_Message__c", FieldRole.SALESFORCE_ID: None},
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
    assert (await discover(org, failed=("Rejected",))).mapping().failed == ("Rejected",)


async def test_two_objects_of_the_same_shape_are_asked_about() -> None:
    case = spanish()
    twin = next(one for one in case.org.objects if one["name"] == case.object_name)
    second = {**twin, "name": "Evento_Sincronizacion__c", "label": "Error de sincronización"}
    rows = {**case.org.rows, second["name"]: case.org.rows[case.object_name]}
    proposal = await discover(FakeOrg([*case.org.objects, second], rows))
    assert proposal.doubts[0].about == THE_OBJECT
    assert {one.name for one in proposal.doubts[0].options} == {case.object_name, second["name"]}
    named = await discover(FakeOrg([*case.org.objects, second], rows), object_name=second["name"])
    assert named.mapping().object_name == "Evento_Sincronizacion__c"


async def test_an_org_without_change_events_is_told_what_to_do() -> None:
    with pytest.raises(BadInputError, match="Nothing in this org looks like") as caught:
        await discover(FakeOrg([*SYNCED, an_object("Invoice__c", "Invoice", a_field("Status__c", "Status"))]))
    assert "--object" in caught.value.hint


async def test_an_object_or_field_that_is_not_there_is_named() -> None:
    with pytest.raises(BadInputError, match="no object Nope__c"):
        await discover(manual().org, object_name="Nope__c")
    with pytest.raises(BadInputError, match="no field Nope__c"):
        await discover(manual().org, fixed={FieldRole.MESSAGE: "Nope__c"})


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
    named = await discover(org, failed=("Failed",), done=("Processed", "Archived"))
    assert (named.failed, named.pending) == (("Failed",), ("Pending",))
    assert named.done == ("Processed", "Archived")
    assert named.unclear == ("Failed Permanently", "Rejected"), "neither listed nor proof"


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
    proposal = await discover(org, done=("false",))
    mapping = proposal.mapping()
    assert (mapping.status, mapping.status_type) == ("s_c__Failed__c", "boolean")
    assert (mapping.failed, mapping.done) == (("true",), ("false",))
    assert "s_c__Failed__c = true LIMIT" in org.queries[-1]
    assert (await discover(org)).unclear == ("false",), "not failed may also mean not done yet"


async def test_a_checkbox_that_says_something_else_is_none() -> None:
    org = with_status(a_field("s_c__Archived__c", "Archived", "boolean"), failed=True, done=False)
    assert [doubt.about for doubt in (await discover(org)).doubts] == ["status"]


async def test_a_multi_select_status_is_asked_for_by_includes() -> None:
    values = [(value, value) for value in ("Failed", "Seen", "Processed")]
    field = a_field("s_c__Status__c", "Status", "multipicklist", values=values, groupable=False)
    org = with_status(field, failed="Failed;Seen", done="Processed;Seen")
    mapping = (await discover(org, done=("Processed", "Seen"))).mapping()
    assert (mapping.status_type, mapping.failed) == ("multipicklist", ("Failed",))
    assert "INCLUDES ('Failed')" in " ".join(org.queries)


async def test_a_status_that_takes_no_condition_is_told_with_its_price() -> None:
    field = a_field("s_c__Status__c", "Status", "textarea", filterable=False, groupable=False)
    org = with_status(field, failed="FAILED", done="PROCESSED")
    proposal = await discover(org, fixed={FieldRole.STATUS: "s_c__Status__c"})
    mapping = proposal.mapping()
    assert (mapping.failed, mapping.done) == (("FAILED",), ("PROCESSED",))
    assert not mapping.status_filterable
    assert any("reads all change events" in note for note in proposal.notes)
    assert not any("WHERE s_c__Status__c" in query for query in org.queries)
