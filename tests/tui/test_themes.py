"""Every theme that ships can be read, and the safe pair by people who do not see all colours."""

from __future__ import annotations

from itertools import combinations, product
from typing import TYPE_CHECKING, ClassVar

import pytest
from textual.app import App
from textual.content import Content
from textual.theme import BUILTIN_THEMES, Theme
from textual.widgets import Static

from tui.themes import ROLES, THEMES, variable_defaults

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from textual.app import ComposeResult

    from tests.figures import FiguresRecorder

STATES = tuple(role for role in ROLES if role.startswith("state-"))
GROUNDS = ("background", "surface", "panel", "block-cursor-background")
LEAST_CONTRAST = 4.5
LEAST_DISTANCE = 20

# Machado, Oliveira, Fernandes 2009, severity 1.0, on linear RGB.
EYES: Mapping[str, Sequence[Sequence[float]]] = {
    "normal": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protan": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deutan": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritan": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}
TO_XYZ_D65 = (
    (0.4124564 / 0.95047, 0.3575761 / 0.95047, 0.1804375 / 0.95047),
    (0.2126729, 0.7151522, 0.0721750),
    (0.0193339 / 1.08883, 0.1191920 / 1.08883, 0.9503041 / 1.08883),
)

Triple = tuple[float, float, float]


def times(matrix: Sequence[Sequence[float]], vector: Triple) -> Triple:
    first, second, third = (
        sum(factor * part for factor, part in zip(row, vector, strict=True)) for row in matrix
    )
    return first, second, third


def linear(colour: str) -> Triple:
    parts = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return red, green, blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted(times(TO_XYZ_D65, linear(colour))[1] for colour in (one, other))
    return (lighter + 0.05) / (darker + 0.05)


def lab(colour: str, eye: str) -> Triple:
    red, green, blue = (min(1, max(0, part)) for part in times(EYES[eye], linear(colour)))
    x, y, z = (
        part ** (1 / 3) if part > 216 / 24389 else (24389 / 27 * part + 16) / 116
        for part in times(TO_XYZ_D65, (red, green, blue))
    )
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def distance(one: str, other: str, eye: str) -> float:
    """CIE76."""
    pairs = zip(lab(one, eye), lab(other, eye), strict=True)
    return float(sum((first - second) ** 2 for first, second in pairs) ** 0.5)


def colours(theme: Theme) -> dict[str, str]:
    known = {**theme.to_color_system().generate(), **theme.variables}
    return {**variable_defaults(theme), **known}


def test_the_maths_agrees_with_published_values() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert lab("#ff0000", "normal") == pytest.approx((53.24, 80.09, 67.20), abs=0.05)
    assert distance("#ff0000", "#00ff00", "normal") == pytest.approx(170.6, abs=0.1)
    assert distance("#ff0000", "#00ff00", "deutan") < 90


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_everything_can_be_read(theme: Theme, figures: FiguresRecorder) -> None:
    found = colours(theme)
    texts = [*ROLES, "foreground", "foreground-muted", "primary", "text-error", "text-warning"]
    least = min(
        (contrast(found[text], found[ground]), text, ground)
        for text, ground in product(texts, GROUNDS)
    )
    figures(f"least contrast of {theme.name}", round(least[0], 2), ": 1")
    assert least[0] >= LEAST_CONTRAST, least


@pytest.mark.parametrize("eye", EYES)
@pytest.mark.parametrize(
    "theme", [theme for theme in THEMES if "safe" in theme.name], ids=lambda theme: theme.name
)
def test_safe_states_can_be_told_apart(theme: Theme, eye: str, figures: FiguresRecorder) -> None:
    found = colours(theme)
    nearest = min(
        (distance(found[one], found[other], eye), one, other)
        for one, other in combinations(STATES, 2)
    )
    figures(f"nearest states of {theme.name}, {eye}", round(nearest[0], 1), "CIE76")
    assert nearest[0] >= LEAST_DISTANCE, nearest


@pytest.mark.parametrize(
    "theme", [theme for theme in BUILTIN_THEMES.values() if not theme.ansi], ids=lambda t: t.name
)
def test_our_colours_can_be_read_under_the_themes_of_textual(theme: Theme) -> None:
    found = colours(theme)
    for role, ground in product(ROLES, ("background", "surface", "panel")):
        assert contrast(found[role], found[ground]) >= LEAST_CONTRAST, (role, ground)


class Themed(App[None]):
    """Uses our variables as the dashboard does: in its style sheet, and in data."""

    CSS: ClassVar = "\n".join(f"#{role} {{ color: ${role}; }}" for role in ROLES)

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return variable_defaults(self.current_theme)

    def compose(self) -> ComposeResult:
        for role in ROLES:
            yield Static("in the sheet", id=role)
            yield Static(Content.assemble(("in the data", f"bold ${role}")), id=f"data-{role}")


async def test_every_theme_loads_and_knows_our_variables() -> None:
    app = Themed()
    for theme in THEMES:
        app.register_theme(theme)
    async with app.run_test() as pilot:
        for name in (*BUILTIN_THEMES, *(theme.name for theme in THEMES)):
            app.theme = name
            await pilot.pause()
            shown = colours(app.current_theme)
            for role in ROLES:
                of_sheet, of_data = (
                    next(iter(app.query_one(f"#{id_}", Static).render_line(0))).style
                    for id_ in (role, f"data-{role}")
                )
                assert of_sheet is not None
                assert of_data is not None
                assert of_sheet.color == of_data.color
                assert of_sheet.color is not None
                if not app.current_theme.ansi:
                    assert of_sheet.color.get_truecolor().hex == shown[role].lower()
