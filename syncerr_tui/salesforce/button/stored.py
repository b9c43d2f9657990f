"""What a profile may say about a learned button. A profile is input like any other."""

from __future__ import annotations

import json
import re

from syncerr_tui.salesforce.button.learn import IdField
from syncerr_tui.salesforce.button.template import check
from syncerr_tui.salesforce.profiles import ButtonMethod


def stored_problem(method: ButtonMethod) -> tuple[str, str] | None:
    """Which key of a learned button is not what it has to be, and why; None where all is well."""
    for key in ("class_name", "method"):
        if not re.fullmatch(r"[A-Za-z]\w{0,79}", getattr(method, key), re.ASCII):
            return key, "must be a name of Apex"
    if not re.fullmatch(r"(?:[A-Za-z](?:_?[A-Za-z0-9]){0,14})?", method.namespace, re.ASCII):
        return "namespace", "must be the namespace of a package, such as s_c"
    if method.style not in {"lwc", "aura", "rest"}:
        return "style", "must be lwc, aura or rest"
    if method.calling and not re.fullmatch(r"markup://\w{1,31}:\w{1,80}", method.calling, re.ASCII):
        return "calling", "must look like markup://s_c:component"
    if method.ids not in set(IdField):
        return "ids", f"must be one of {', '.join(IdField)}"
    if method.length not in {15, 18, 36}:
        return "length", "must be 15 or 18 (36 for StoreConnect IDs)"
    try:
        template = json.loads(method.params)
        check(template)
    except (ValueError, RecursionError) as problem:
        why = "it is not JSON" if isinstance(problem, json.JSONDecodeError | RecursionError) else str(problem)
        return "params", f"is not a template of a call: {why}"
    return None if isinstance(template, dict) else ("params", "must be a JSON object")
