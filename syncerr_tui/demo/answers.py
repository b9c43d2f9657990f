"""What the org answers to a save and to an action: values that the HTTP side writes out as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class SaveFault:
    """One reason why a save was refused, as the REST API words it."""

    code: str
    message: str
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Parameter:
    """An input or output of an invocable action."""

    name: str
    label: str
    type: str = "STRING"
    required: bool = False
    description: str = ""


@dataclass(frozen=True, slots=True)
class InvocableAction:
    """An invocable action as its describe shows it."""

    kind: str
    """`apex` or `flow`."""
    name: str
    label: str
    description: str
    inputs: tuple[Parameter, ...]
    outputs: tuple[Parameter, ...] = ()


@dataclass(frozen=True, slots=True)
class ActionResult:
    """The answer to one input of an action, in the order of the inputs."""

    name: str
    success: bool
    outputs: Mapping[str, object] = field(default_factory=dict)
    faults: tuple[SaveFault, ...] = ()
