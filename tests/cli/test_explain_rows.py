"""`explain` with what people have in their hands: error files, failed results, logs, pastes."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from syncerr_tui.errors import ExitCode
from tests.cli.test_explain import answers, explain

LOCK = "unable to obtain exclusive access to this record"
DATA_LOADER = (
    '"ID","NAME","EXT__C","ERROR"\n'
    '"","Acme","1","Required fields are missing: [LastName]"\n'
    '"","Müller ""& Co""","2","Required fields are missing: [LastName]"\n'
    f'"","Two\nlines","3","{LOCK}"\n'
)
FAILED_RESULTS = (
    '"sf__Id","sf__Error","Name"\n'
    '"","REQUIRED_FIELD_MISSING:Required fields are missing: [Email]:Email --",Acme\n'
    '"0035g00000Lm2XyAAJ","STRING_TOO_LONG:Colour: data value too large: x, y (max length=2):Colour__c --",\n'
)
BULK_V1 = (
    '"Id","Success","Created","Error"\n"0015g00000Qr7TbAAJ","true","false",""\n'
    '"","false","false","DUPLICATE_VALUE:duplicate value found: <unknown>:--"\n'
)
LOG = (
    "64.0 APEX_CODE,FINEST;DB,INFO\n"
    "12:00:00.0 (1)|EXECUTION_STARTED\n"
    "12:00:00.0 (3)|EXCEPTION_THROWN|[12]|System.NullPointerException: Attempt to de-reference a null obj\n"
    "12:00:00.0 (4)|FATAL_ERROR|System.NullPointerException: Attempt to de-reference a null obj\n"
    "\n"
    "Class.QuoteHelper.recalc: line 40, column 1\n"
    "Trigger.QuoteTrigger: line 12, column 1\n"
    "12:00:00.0 (5)|EXECUTION_FINISHED\n"
)


def roots(text: str | bytes, *args: str) -> list[object]:
    result = explain(*args, "--json", stdin=text)
    assert result.exit_code == ExitCode.OK, result.stderr
    return [answer["root_code"] for answer in answers(result)]


def test_data_loaders_error_file_is_a_row_each_and_a_summary_by_cause(tmp_path: Path) -> None:
    path = tmp_path / "error061522.csv"
    path.write_text(DATA_LOADER, encoding="utf-8")
    shown = explain("--csv", str(path)).stdout
    assert "line 2  REQUIRED_FIELD_MISSING  empty: LastName" in shown
    assert "line 4  UNABLE_TO_LOCK_ROW" in shown
    assert "3 errors, 2 causes" in shown
    assert "2 errors: The required field LastName is empty (fix first)." not in shown
    assert "2 errors: The required field LastName is empty. (fix first)" in shown
    assert "lines 2, 3" in shown
    assert "EXT__C" not in shown, "the heading of a column is no field of the failure"


def test_failed_results_of_the_bulk_api(tmp_path: Path) -> None:
    path = tmp_path / "failed.csv"
    path.write_text(FAILED_RESULTS, encoding="utf-8")
    got = answers(explain("--csv", str(path), "--json"))
    assert [answer["root_code"] for answer in got] == ["REQUIRED_FIELD_MISSING", "STRING_TOO_LONG"]
    assert [answer["id"] for answer in got] == [None, "0035g00000Lm2XyAAJ"]
    assert [answer["line"] for answer in got] == [2, 3]
    assert got[1]["fields"] == ["Colour", "Colour__c"]


def test_rows_that_succeeded_are_left_out() -> None:
    assert roots(BULK_V1, "--csv", "-") == ["DUPLICATE_VALUE"]


@pytest.mark.parametrize("source", ["--message", "--csv", "--jsonl"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_every_way_in_tells_the_shapes_apart(source: str, encoding: str) -> None:
    crlf = DATA_LOADER.replace("\n", "\r\n").encode(encoding)
    assert roots(crlf, source, "-") == ["REQUIRED_FIELD_MISSING"] * 2 + ["UNABLE_TO_LOCK_ROW"]
    lines = "".join(json.dumps({"id": n, "message": LOCK}) + "\n" for n in range(2)).encode(encoding)
    assert roots(lines, source, "-") == ["UNABLE_TO_LOCK_ROW"] * 2


def test_a_web_store_s_log_is_what_failed_in_it_line_by_line() -> None:
    log = (
        "I, [2027-02-01T01:02:03.1 #7]  INFO -- : [CartJob] begun\r\n"
        "E, [2027-02-01T01:02:04.1 #7] ERROR -- : [CartJob] REQUIRED_FIELD_MISSING: "
        "Required fields are missing: [Fax__c]\r\n"
        "F, [2027-02-01T01:02:05.1 #7] FATAL -- app: STRING_TOO_LONG: Fax: data value too large: 1234 "
        "(max length=3)\r\n"
    )
    first, second = answers(explain("--message", "-", "--json", stdin=log))
    assert (first["root_code"], first["fields"]) == ("REQUIRED_FIELD_MISSING", ["Fax__c"])
    assert (second["root_code"], second["fields"]) == ("STRING_TOO_LONG", ["Fax"])


def test_a_debug_log_is_what_failed_in_it_once_with_its_stack() -> None:
    (answer,) = answers(explain("--message", "-", "--json", stdin=LOG))
    names = [thing["name"] for thing in answer["automation"]]  # type: ignore[attr-defined]
    assert (answer["root_code"], sorted(names)) == (
        "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
        ["QuoteHelper", "QuoteTrigger"],
    )
    assert answer["line"] == 4


def test_a_rest_answer_on_several_lines_is_one_message() -> None:
    body = json.dumps([{"message": LOCK, "errorCode": "UNABLE_TO_LOCK_ROW", "fields": []}], indent=2)
    (answer,) = answers(explain("--message", "-", "--json", stdin=body))
    assert answer["root_code"] == "UNABLE_TO_LOCK_ROW"
    assert "line" not in answer


def test_the_flow_error_e_mail_names_its_flow_and_element_and_no_headings() -> None:
    mail = (
        "Error element Update_Order (FlowRecordUpdate).\n"
        "This error occurred when the flow tried to update records: REQUIRED_FIELD_MISSING: Required fields "
        "are missing: [Pricebook2Id]. You can look up ExceptionCode values in the SOAP API Developer Guide.\n"
        "Flow Details\nFlow API Name: Order_Builder\nType: Record-Triggered Flow\nVersion: 4\n"
        "Flow Interview Details\nInterview Label: Order_Builder-1\nCurrent User: Sam Roe (0055g00000HbQrs)\n"
    )
    (answer,) = answers(explain("--message", "-", "--json", stdin=mail))
    assert answer["fields"] == ["Pricebook2Id"]
    things = [(thing["kind"], thing["name"]) for thing in answer["automation"]]  # type: ignore[attr-defined]
    assert things == [("flow_element", "Update_Order"), ("flow", "Order_Builder")]


def test_a_bad_row_is_named_by_its_line_and_stops_nothing() -> None:
    text = 'ERROR,Name\n"unable to obtain exclusive access",A\nonly one\nRequired fields are missing: [X],B\n'
    result = explain("--csv", "-", "--json", stdin=text)
    assert result.exit_code == ExitCode.BAD_INPUT
    first, bad, last = answers(result)
    assert bad == {"id": None, "error": "line 3: the heading names 2 columns, and this line has 1"}
    assert (first["root_code"], last["root_code"]) == ("UNABLE_TO_LOCK_ROW", "REQUIRED_FIELD_MISSING")
    assert "1 line could not be read: line 3" in explain("--csv", "-", stdin=text).stdout


def test_commas_that_a_tool_did_not_quote_belong_to_the_message() -> None:
    text = (
        "sf__Id,sf__Error\na1,DUPLICATE_VALUE:duplicate value found: A__c, B__c duplicates value on record:--"
    )
    (answer,) = answers(explain("--csv", "-", "--json", stdin=text))
    assert answer["fields"] == ["A__c", "B__c"]


def test_a_column_by_another_name_has_to_be_named() -> None:
    text = f"Name;What went wrong\nA;{LOCK}\n"
    refused = explain("--csv", "-", stdin=text)
    assert refused.exit_code == ExitCode.BAD_INPUT
    assert "--error-column" in refused.stderr and "What went wrong" in refused.stderr
    assert roots(text, "--csv", "-", "--error-column", "what went wrong") == ["UNABLE_TO_LOCK_ROW"]


def test_markdown_of_many_rows_is_a_section_for_each_cause() -> None:
    shown = explain("--csv", "-", "--markdown", stdin=DATA_LOADER).stdout
    assert "**2 errors**: lines 2, 3" in shown
    assert shown.count("## How to fix it") == 2


def test_a_hundred_thousand_cells_are_no_trouble_for_one_that_is_too_long() -> None:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["ERROR", "Note"])
    writer.writerow(["x" * 2_000_000, ""])
    writer.writerow([LOCK, ""])
    result = explain("--csv", "-", "--json", stdin=out.getvalue())
    bad, good = answers(result)
    assert str(bad["error"]).startswith("line 2: not CSV") and good["root_code"] == "UNABLE_TO_LOCK_ROW"
