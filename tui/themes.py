"""The themes that ship: chrome in greys, one accent for the focus, and a colour for each state.

Contrast is at least 4.5:1 on background, surface and panel. In the `safe` pair the states can also
be told apart by people who see no red, no green or no blue; tests recompute both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.color import Color
from textual.theme import Theme

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LEAST_CONTRAST = 4.5

ROLES: Mapping[str, str] = {
    "state-healthy": "text-success",
    "state-working": "text-primary",
    "state-warning": "text-warning",
    "state-failed": "text-error",
    "state-rollback": "text-accent",
    "state-idle": "foreground-muted",
    "log-time": "foreground-muted",
    "log-service": "text-secondary",
    "log-match": "text-warning",
}
"""Our own variables, and which of Textual's stands in for each under a theme without it."""


def variable_defaults(theme: Theme) -> dict[str, str]:
    """Our variables for a theme that does not know them, such as Textual's own.

    Literal colours: Textual 8.2.8 takes a default that names another variable for a CSS error.
    """
    known = {**theme.to_color_system().generate(), **theme.variables}
    if theme.ansi:
        # What the terminal makes of its sixteen colours is the person's own choice.
        known["foreground-muted"] = "ansi_bright_black"
        return {ours: known[theirs] for ours, theirs in ROLES.items()}
    grounds = [Color.parse(known[name]) for name in ("background", "surface", "panel")]
    return {ours: _legible(Color.parse(known[theirs]), grounds) for ours, theirs in ROLES.items()}


def _legible(colour: Color, grounds: Sequence[Color]) -> str:
    """The colour, or the nearest one to black or white that can be read on all the grounds."""
    # Opaque, because log panes draw with Rich's styles, which know no transparency.
    opaque = grounds[0] + colour
    extreme = grounds[0].get_contrast_text(1.0)
    steps = (opaque.blend(extreme, step / 20) for step in range(20))
    readable = (
        each for each in steps if min(contrast(each, on) for on in grounds) >= LEAST_CONTRAST
    )
    return next(readable, extreme).hex6


def contrast(one: Color, other: Color) -> float:
    """How far apart two colours are for a reader, from 1 to 21, as WCAG 2 defines it."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: Color) -> float:
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in colour.normalized
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _theme(
    name: str, *, is_dark: bool, chrome: Mapping[str, str], roles: Mapping[str, str]
) -> Theme:
    """A theme in whose variables the accent and the greys repeat wherever Textual has a hue."""
    return Theme(
        name=name,
        dark=is_dark,
        primary=chrome["accent"],
        secondary=chrome["grey"],
        accent=chrome["accent"],
        foreground=chrome["foreground"],
        background=chrome["background"],
        surface=chrome["surface"],
        panel=chrome["panel"],
        boost=chrome["panel"],
        success=roles["state-healthy"],
        warning=roles["state-warning"],
        error=roles["state-failed"],
        variables={
            "text-success": roles["state-healthy"],
            "text-warning": roles["state-warning"],
            "text-error": roles["state-failed"],
            "text-primary": chrome["accent"],
            "text-accent": chrome["accent"],
            "text-secondary": chrome["muted"],
            "foreground-muted": chrome["muted"],
            "border": chrome["accent"],
            "border-blurred": chrome["grey"],
            "block-cursor-foreground": chrome["foreground"],
            "block-cursor-background": chrome["cursor"],
            "block-cursor-text-style": "bold",
            "block-cursor-blurred-foreground": chrome["foreground"],
            "block-cursor-blurred-background": chrome["panel"],
            "input-selection-background": chrome["cursor"],
            "screen-selection-background": chrome["cursor"],
            "footer-key-foreground": chrome["accent"],
            "footer-background": chrome["panel"],
            "footer-description-foreground": chrome["muted"],
            "scrollbar": chrome["grey"],
            "scrollbar-hover": chrome["muted"],
            "scrollbar-active": chrome["accent"],
            "scrollbar-background": chrome["surface"],
            "scrollbar-background-hover": chrome["surface"],
            "scrollbar-background-active": chrome["surface"],
            "scrollbar-corner-color": chrome["surface"],
            **roles,
        },
    )


_DARK = {
    "accent": "#7db4e6",
    "foreground": "#d7dde5",
    "muted": "#97a1b0",
    "grey": "#3d4653",
    "cursor": "#1f2834",
    "background": "#12161c",
    "surface": "#171c23",
    "panel": "#1c222b",
}
_LIGHT = {
    "accent": "#1c5a9c",
    "foreground": "#20262e",
    "muted": "#565e6b",
    "grey": "#b9bdc2",
    "cursor": "#dde7f1",
    "background": "#fbfbf8",
    "surface": "#f4f4f0",
    "panel": "#ebebe6",
}

THEMES: tuple[Theme, ...] = (
    _theme("compartment-dark", is_dark=True, chrome=_DARK, roles={
        "state-healthy": "#7fc8a0",
        "state-working": "#8fc1e8",
        "state-warning": "#e0c070",
        "state-failed": "#f0857a",
        "state-rollback": "#c79be8",
        "state-idle": "#8d97a7",
        "log-time": "#8d97a7",
        "log-service": "#9fb6cc",
        "log-match": "#e8cb7a",
    }),
    _theme("compartment-light", is_dark=False, chrome=_LIGHT, roles={
        "state-healthy": "#1b7347",
        "state-working": "#1d5fa8",
        "state-warning": "#835500",
        "state-failed": "#b3261e",
        "state-rollback": "#7a3aa8",
        "state-idle": "#596170",
        "log-time": "#596170",
        "log-service": "#3d5a78",
        "log-match": "#7a4f00",
    }),
    _theme("compartment-safe-dark", is_dark=True, chrome=_DARK, roles={
        "state-healthy": "#35f5a4",
        "state-working": "#c4e5f9",
        "state-warning": "#fed928",
        "state-failed": "#f0603c",
        "state-rollback": "#ee55ea",
        "state-idle": "#8a94a6",
        "log-time": "#8a94a6",
        "log-service": "#c4e5f9",
        "log-match": "#fed928",
    }),
    _theme("compartment-safe-light", is_dark=False, chrome=_LIGHT, roles={
        "state-healthy": "#177346",
        "state-working": "#0c1b34",
        "state-warning": "#855a02",
        "state-failed": "#5a1807",
        "state-rollback": "#7b1496",
        "state-idle": "#505665",
        "log-time": "#505665",
        "log-service": "#0c1b34",
        "log-match": "#855a02",
    }),
)  # fmt: skip

DEFAULT_THEME = THEMES[0].name
