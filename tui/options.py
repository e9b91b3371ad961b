"""How the dashboard was asked to be."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line, the terminal and the person's own files say."""

    is_ascii: bool = False
    is_read_only: bool = False
    """Nothing can be changed; whatever would change something has no key."""
    is_replay: bool = False
    """What is shown is past."""
    is_slow_link: bool = False
    """Fewer frames a second."""
    theme: str | None = None
    """None: the one that was chosen last."""
    server: str | None = None
    """The machine that is looked at; None for this one."""
    notes: tuple[str, ...] = ()
    """What the status line says besides, such as `read-only` and `replay`."""
    keymap: Mapping[str, str] = field(default_factory=dict)
    """Other keys than the usual ones, by the id of the binding, as Textual takes them."""
    greeting: str = ""
    """Why a person is here, where the dashboard came by itself."""
    warnings: tuple[str, ...] = ()
    """What a person is told once, at the start."""
