"""Misbehaviour of the org's own Re-sync button and of the way to it. Faults of the wire come in addition."""

from __future__ import annotations

from collections.abc import Mapping

BUTTON_FAULTS: Mapping[str, tuple[str, int | None]] = {
    "lwr-absent": ("/lwr/apex is not offered: 404 with an HTML page", None),
    "lwr-no-access": ("/lwr/apex: 404 without a body, as for a class that the user may not run", None),
    "lwr-bad-params": ("/lwr/apex: 400, the method's parameters have other names now", None),
    "lwr-forbidden": ("/lwr/apex: 403", None),
    "lwr-redirect": ("/lwr/apex: 302 to the login page", None),
    "apex-throws": ("the button's Apex throws, after the press was counted; nothing is queued", None),
    "button-refuses": ("the button answers success, and in its value success: false", None),
    "returns-void": ("the button's method returns nothing", None),
    "returns-json": ("the button's method returns its value as a JSON string", None),
    "no-class-access": ("the user may not run the button's Apex class", None),
    "no-web-scope": ("no Lightning session for this token: 403 Bad_OAuth_Token, and the login page", None),
    "singleaccess-absent": ("singleaccess: 404", None),
    "frontdoor-post-only": ("frontdoor.jsp takes no session id in an address", None),
    "bridge-http": ("from frontdoor to Lightning by HTTP redirects alone", None),
    "bridge-href": ("from frontdoor to Lightning by window.location.href", None),
    "bridge-escaped": ("from frontdoor to Lightning by an address full of escapes", None),
    "bridge-loop": ("from frontdoor in a circle", None),
    "bridge-foreign": ("from frontdoor to a foreign host", None),
    "login-flow": ("a login flow's page instead of Lightning", None),
    "mfa-page": ("200 with the page that verifies the identity, instead of Lightning", None),
    "page-old-token": ("the page holds the token itself, as it was until 2023", None),
    "page-no-token": ("the page has no token at all, as for a guest", None),
    "page-context-in-urls": ("the page's context stands in the addresses of its scripts alone", None),
    "page-stale-cookie": ("the token in the page's cookie is too old already", None),
    "out-of-sync": ("/aura: the framework was updated since the page was loaded", 1),
    "out-of-sync-inside": ("/aura: the same, told inside the action", 1),
    "framework-error-bare": ("/aura: framework errors come as JSON without */", None),
    "csrf-new-token": ("/aura: the token is refused and a new one given", 1),
    "csrf-invalid": ("/aura: the token is refused; 'invalid_csrf' instead of a new one", 1),
    "csrf-refused": ("/aura: the token is refused, and no new one given", 1),
    "session-gone": ("/aura: 401, the Lightning session has ended", 1),
    "aura-empty": ("/aura: 200 without a body, and nothing runs", None),
    "action-missing": ("/aura: the action is not run and not in the answer", None),
    "no-apex-action": ("/aura: 'No apex action available', and nothing runs", None),
    "foreign-answers": ("/aura: answers in another order, behind one to nobody's action", None),
    "while-prefix": ("/aura: while(1); in front of the JSON", None),
}
"""Name -> what happens, and how often where no count is given (None: always)."""
