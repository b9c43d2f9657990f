"""SOQL: text -> tokens -> tree -> SQLite. What cannot be read is refused with its place, never guessed."""

from __future__ import annotations

from syncerr_tui.demo.soql.compiler import CompiledQuery, plan
from syncerr_tui.demo.soql.errors import SoqlError
from syncerr_tui.demo.soql.parser import parse

__all__ = ["CompiledQuery", "SoqlError", "parse", "plan"]
