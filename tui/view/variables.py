"""The variables of an environment, as rows; what is sensitive has no value here."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Self

from textual.content import Content

from tui.view import words
from tui.view.looks import IDLE, RETRYING
from tui.view.moments import moment

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from tui.view.columns import Row
    from tui.view.glyphs import Glyphs
    from tui.view.state import Service

TITLES: Row = ("VARIABLE", "FOR", "VALUE", "SET", "LIVE")
GIVES_WAY = (2, 0, 1)

ALL = "all services"
HIDDEN = "sensitive"


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable as it is set."""

    name: str
    service: str | None
    """Whom it is set for; None for all services of the environment."""
    value: str | None
    """None where it is sensitive."""
    updated_at: datetime | None

    @property
    def is_sensitive(self) -> bool:
        """Whether nobody is shown its value."""
        return self.value is None

    @property
    def key(self) -> str:
        """What tells it from the others; no name has a slash."""
        return f"{self.service or ''}/{self.name}"

    @property
    def whose(self) -> str:
        """Whom it is for, in words."""
        return self.service or ALL

    @classmethod
    def read(cls, found: Mapping[str, Any]) -> Self:
        """As `GET /v1/variables/{key}` tells of it."""
        return cls(
            name=found["keyName"],
            service=found.get("scopeServiceName"),
            value=None if found.get("valueHidden") else found.get("value"),
            updated_at=moment(found.get("updatedAt")),
        )


def ordered(found: Iterable[Variable]) -> list[Variable]:
    """Those of all services first, then those of each, by name."""
    return sorted(found, key=lambda each: (each.service or "", each.name))


class Standing(StrEnum):
    """Whether what is live has a variable as it is set now."""

    LIVE = "live"
    PENDING = "pending"
    """Something live was queued before it was set."""
    UNUSED = "-"
    """Nothing that gets it is live."""


def standings(found: Sequence[Variable], services: Mapping[str, Service]) -> dict[str, Standing]:
    """How each of them stands, by its key."""
    own = {(each.service, each.name) for each in found}
    return {each.key: _standing(each, _users(each, own, services)) for each in found}


def _standing(variable: Variable, users: Sequence[Service]) -> Standing:
    queued_at = [each.live.created_at for each in users if each.live and each.live.created_at]
    if not queued_at:
        return Standing.UNUSED
    updated_at = variable.updated_at
    is_newer = updated_at is not None and any(updated_at > each for each in queued_at)
    return Standing.PENDING if is_newer else Standing.LIVE


def _users(
    variable: Variable, own: set[tuple[str | None, str]], services: Mapping[str, Service]
) -> list[Service]:
    """Who gets it: a service's own one is there instead of that of the environment."""
    if variable.service is not None:
        return [each for each in services.values() if each.name == variable.service]
    return [each for each in services.values() if (each.name, variable.name) not in own]


def row(variable: Variable, standing: Standing, now: datetime, glyphs: Glyphs) -> Row:
    """One variable."""
    return (
        Content.styled(variable.name, "bold"),
        Content.styled(variable.whose, "" if variable.service else "$foreground-muted"),
        _value(variable, glyphs),
        words.ago(variable.updated_at, now),
        _stands(standing, glyphs),
    )


def _stands(standing: Standing, glyphs: Glyphs) -> Content:
    if standing is Standing.PENDING:
        return Content.styled(f"{glyphs.retrying} {standing}", RETRYING)
    return Content.styled(str(standing), IDLE)


def _value(variable: Variable, glyphs: Glyphs) -> Content:
    if variable.value is None:
        return Content.styled(f"*** {HIDDEN}", IDLE)
    if not variable.value:
        return Content.styled("empty", IDLE)
    shown = glyphs.said(words.reason(variable.value))
    more = variable.value.count("\n")
    return Content(f"{shown} (+{words.counted(more, 'line')})" if more else shown)
