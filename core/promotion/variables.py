"""The variables that are set for environments and services: what they may be, and who gets which.

They are in force from the next deployment on, which keeps its own copy.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from core.config.document import quote
from core.config.patterns import (
    COMPOSE_SERVICE_NAME,
    PATTERN_WORDS,
    RESERVED_VARIABLES,
    VARIABLE_KEY,
)
from core.errors import ConfigError, NotFound, UsageError
from core.events import EventType
from core.lines import stamp
from core.ports import read_port
from core.promotion.ledger import target_event
from core.records import Target, Variable, VariableRecord, VariableRemoved

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from core.journal import Record
    from core.model import Service
    from core.promotion.ledger import Ledger

LIMIT_BYTES: Final = 128 * 1024
"""Of `NAME=VALUE` with the byte that ends it: Linux takes no longer text into an environment
(execve(2), MAX_ARG_STRLEN)."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a variable is set for: a service, or all services of an environment."""

    target: Target
    service: str | None = None

    def __str__(self) -> str:
        return f"{self.target}, service {self.service}" if self.service else str(self.target)


def resolve(ledger: Ledger, target: Target, service: str) -> dict[str, Variable]:
    """What a deployment of a service gets that is queued now, by name.

    What is set for the service is preferred to what is set for its environment.
    """
    return {each.name: each.variable for each in visible(ledger, Scope(target, service))}


def differing(before: Mapping[str, Variable], now: Mapping[str, Variable]) -> list[str]:
    """The names of what was added, removed or given another value, sorted."""
    return sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))


def visible_to_build(ledger: Ledger, target: Target, service: Service) -> dict[str, str]:
    """What the build of a service that is queued now sees: what its `build.env` lists.

    Raises:
        ConfigError: one of these is not set, or is sensitive: what is built may show it.
    """
    assigned = resolve(ledger, target, service.name)
    missing = [name for name in service.build.env if name not in assigned]
    if missing:
        raise ConfigError(
            f"service {service.name}: build.env lists {', '.join(missing)}, not set for {target}",
            hint=f"compartment variable set {missing[0]} VALUE, or take it out of build.env",
            code="variable_not_found",
        )
    secret = [name for name in service.build.env if assigned[name].is_sensitive]
    if secret:
        raise ConfigError(
            f"service {service.name}: build.env lists {', '.join(secret)}, which is sensitive",
            hint="take it out of build.env: what a build sees can be read in what it makes",
        )
    return {name: assigned[name].value for name in service.build.env}


def visible(ledger: Ledger, scope: Scope) -> list[VariableRecord]:
    """What is set for a scope, and what it has from its environment besides; by name."""
    found: dict[str, VariableRecord] = {}
    for service in (None, scope.service):
        of_scope = Scope(scope.target, service)
        found |= {each.name: each for each in ledger.variables.values() if _scope(each) == of_scope}
    return [found[name] for name in sorted(found)]


def services_of(ledger: Ledger, target: Target) -> list[str]:
    """The services of an environment that have variables of their own, by name."""
    known = (each for each in ledger.variables.values() if each.target == target)
    return sorted({each.service for each in known if each.service is not None})


def find(ledger: Ledger, scope: Scope, name: str) -> VariableRecord:
    """One of these.

    Raises:
        NotFound: it is not set.
    """
    for each in visible(ledger, scope):
        if each.name == name:
            return each
    raise _not_found(scope, name)


async def assign(
    ledger: Ledger,
    scope: Scope,
    values: Mapping[str, str],
    *,
    is_sensitive: bool = False,
    is_all: bool = False,
) -> None:
    """Sets variables, all or none; with `is_all` the scope has no others afterwards.

    What was sensitive stays so until it is removed.

    Raises:
        UsageError: a name or a value cannot be; nothing was changed.
    """
    _check_service(scope)
    for name, value in values.items():
        check_name(name)
        _check_value(name, value)

    def change() -> Sequence[Record]:
        known = {each.name: each for each in ledger.variables.values() if _scope(each) == scope}
        made = []
        for name, value in values.items():
            was = known.get(name)
            variable = Variable(value, is_sensitive or bool(was and was.variable.is_sensitive))
            if was is None or was.variable != variable:
                made.append(VariableRecord(scope.target, scope.service, name, variable, stamp()))
        gone = [known[name] for name in sorted(known.keys() - values.keys())] if is_all else []
        return _changes(scope, made, gone)

    await ledger.update(change)


async def remove(ledger: Ledger, scope: Scope, name: str) -> None:
    """Removes a variable from the scope that it was set for.

    Raises:
        NotFound: it is not set there.
    """

    def change() -> Sequence[Record]:
        known = ledger.variables.get((scope.target, scope.service, name))
        if known is None:
            raise _not_found(scope, name, is_inherited=_is_inherited(ledger, scope, name))
        return _changes(scope, [], [known])

    await ledger.update(change)


def _changes(
    scope: Scope, made: Sequence[VariableRecord], gone: Sequence[VariableRecord]
) -> list[Record]:
    if not made and not gone:
        return []
    names = {"set": [each.name for each in made], "removed": [each.name for each in gone]}
    told = "; ".join(f"{verb} {', '.join(found)}" for verb, found in names.items() if found)
    message = f"variables of {scope}: {told}"
    kind = EventType.VARIABLES_CHANGED
    event = target_event(kind, scope.target, message, scope.service, **names)
    removed = [VariableRemoved(each.target, each.service, each.name) for each in gone]
    return [*made, *removed, event]


def _scope(record: VariableRecord) -> Scope:
    return Scope(record.target, record.service)


def _is_inherited(ledger: Ledger, scope: Scope, name: str) -> bool:
    return scope.service is not None and (scope.target, None, name) in ledger.variables


def _not_found(scope: Scope, name: str, *, is_inherited: bool = False) -> NotFound:
    if is_inherited:
        hint = "it is set for the environment: leave out --service"
    else:
        hint = f"see: compartment variable list --env {shlex.quote(scope.target.environment)}"
    return NotFound(
        f"variable {quote(name)} is not set for {scope}",
        hint=hint,
        code="variable_not_found",
    )


def check_name(name: str) -> None:
    """Refuses what cannot be the name of a variable.

    Raises:
        UsageError: it says what a name is made of.
    """
    if not re.fullmatch(VARIABLE_KEY, name):
        raise UsageError(
            f"{quote(name)} cannot be the name of a variable",
            hint=f"use {PATTERN_WORDS[VARIABLE_KEY]}",
        )
    if name.startswith(RESERVED_VARIABLES):
        raise UsageError(
            f"{name} cannot be set: names that begin with {RESERVED_VARIABLES} are ours",
            hint="choose another name",
        )


def _check_service(scope: Scope) -> None:
    """The name will do: a service may need its variables for its first deploy."""
    if scope.service is not None and not re.fullmatch(COMPOSE_SERVICE_NAME, scope.service):
        raise UsageError(
            f"{quote(scope.service)} cannot be the name of a service",
            hint=f"use {PATTERN_WORDS[COMPOSE_SERVICE_NAME]}",
            code="invalid_variable_target",
        )


def _check_value(name: str, value: str) -> None:
    """Any text that a process can be given; the message never has any of it."""
    if name == "PORT" and read_port(value) is None:
        raise UsageError(
            "PORT must be a port: 1 to 65535",
            hint="give the number that the service listens on, such as 8080",
        )
    if "\0" in value:
        raise UsageError(f"the value of {name} has a NUL character, which no environment can hold",
                         hint="encode it, for example as base64")  # fmt: skip
    try:
        size = len(f"{name}={value}\0".encode())
    except UnicodeEncodeError:
        raise UsageError(f"the value of {name} is not valid text: it has half of a surrogate pair",
                         hint="give it as UTF-8, or encode it as base64") from None  # fmt: skip
    if size > LIMIT_BYTES:
        raise UsageError(
            f"the value of {name} is too long: {size:,} bytes with its name, and a process"
            f" takes {LIMIT_BYTES // 1024} KiB at most",
            hint="keep it in a file, and set the path of the file",
        )
