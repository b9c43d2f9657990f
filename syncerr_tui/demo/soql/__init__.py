"""SOQL: text -> tokens -> tree -> SQLite. What cannot be read is refused with its place, never guessed."""

from __future__ import annotations

from syncerr_tui.demo.soql.compiler import CompiledQuery, plan
from syncerr_tui.demo.soql.parser import parse_query
from syncerr_tui.demo.soql.tree import SoqlError

__all__ = ["CompiledQuery", "SoqlError", "parse_query", "plan"]
