"""The table of services: which columns a width has room for, and what stands in them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from rich.cells import cell_len

from tui.view import looks, words
from tui.view.access import access_look
from tui.view.pieces import MUTED, PLAIN, TITLE, cut, left, length, right
from tui.view.sparkline import sparkline
from tui.view.strip import draw, service_cells

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tui.view.glyphs import Glyphs
    from tui.view.pieces import Piece, Row
    from tui.view.scene import Scene
    from tui.view.state import Deployment, Figures, Service

MARGIN = 3
"""Cells before the name: a blank, the cursor, a blank."""

STALE_AFTER_S = 10
SPARK_CELLS = 8

_TREND_SAMPLES = 30
"""A minute, at one sample every 2 s."""

STAGE_WORD = 17
_NAME_LEAST, _NAME_MOST = 7, 24


@dataclass(frozen=True, slots=True)
class Column:
    """One column; `gap` are the blank cells before it."""

    key: str
    title: str
    width: int
    gap: int = 2
    is_right: bool = False


_NAME = Column("name", "NAME", _NAME_LEAST, 0)
_KIND = Column("kind", "KIND", 6)
_ACCESS = Column("access", "ACCESS", 2)
_STRIP = Column("strip", "STAGE", 6)
_WORD = Column("word", "", STAGE_WORD, 1)
_HEALTH = Column("health", "HEALTH", 2)
_LIVE = Column("live", "LIVE", 4)
_NEXT = Column("next", "NEXT", 4)
_PREVIOUS = Column("previous", "PREV", 4)
_CPU = Column("cpu", "CPU", 5, 1, is_right=True)
_MEMORY = Column("memory", "MEM", 5, 1, is_right=True)
_REQUESTS = Column("requests", "REQ/S", 5, is_right=True)
_UP = Column("up", "UP", 6, is_right=True)
_TREND = Column("trend", "60s", SPARK_CELLS)
_P95 = Column("p95", "P95", 5, 1, is_right=True)

_DROPPED = (
    "p95", "previous", "next", "trend", "kind", "requests", "up", "memory", "cpu", "access word",
    "live", "health word", "word", "access",
)  # fmt: skip
"""What goes first when there is less room. Name, strip and health sign always stay."""


def columns(
    width: int, services: Iterable[Service], glyphs: Glyphs, *, has_detail: bool = False
) -> list[Column]:
    """The columns for a width; with a detail pane beside the table, `UP` is left to that."""
    services = list(services)
    names = max((cell_len(each.name) for each in services), default=0)
    every = [
        replace(_NAME, width=min(max(names, _NAME_LEAST), _NAME_MOST)),
        _KIND,
        replace(_ACCESS, width=cell_len(glyphs.login) + len(" nobody")),
        _STRIP, _WORD,
        replace(_HEALTH, width=_sign_cells(glyphs) + 1 + _health_word(services)),
        _LIVE, _NEXT, _PREVIOUS, _CPU, _MEMORY, _REQUESTS, _UP, _TREND, _P95,
    ]  # fmt: skip
    dropped = ["up"] if has_detail else []
    dropped += [] if any(each.needs_login for each in services) else ["access"]
    shown = [each for each in every if each.key not in dropped]
    for key in _DROPPED:
        if _total(shown) <= width:
            break
        shown = _without(shown, key, glyphs)
    return _name_fitted(shown, width)


def _health_word(services: Sequence[Service]) -> int:
    desired = [each.live.replicas_desired for each in services if each.live]
    most = max(desired, default=1)
    return len("unhealthy") + (len(f" {most}/{most}") if most > 1 else 0)


def _total(shown: Sequence[Column]) -> int:
    return MARGIN + sum(each.gap + each.width for each in shown) + 1


def _without(shown: Sequence[Column], key: str, glyphs: Glyphs) -> list[Column]:
    signs = {"health word": _sign_cells(glyphs), "access word": cell_len(glyphs.login)}
    if key not in signs:
        return [each for each in shown if each.key != key]
    column = key.removesuffix(" word")
    return [
        replace(each, title="", width=signs[key]) if each.key == column else each for each in shown
    ]


def _sign_cells(glyphs: Glyphs) -> int:
    return max(cell_len(glyphs.healthy), cell_len(glyphs.unknown))


def _name_fitted(shown: list[Column], width: int) -> list[Column]:
    """What room is left over goes to nobody; what is missing is taken from the names."""
    excess = max(_total(shown) - width, 0)
    name = shown[0]
    return [replace(name, width=max(name.width - excess, 1)), *shown[1:]]


def heading(shown: Sequence[Column], glyphs: Glyphs) -> Row:
    """The titles above the columns."""
    text = " " * MARGIN
    for each in shown:
        put = right if each.is_right else left
        text += " " * each.gap + put(each.title, each.width, glyphs.cut)
    return ((text, MUTED),)


def row(service: Service, shown: Sequence[Column], scene: Scene, *, is_selected: bool) -> Row:
    """One service."""
    glyphs = scene.glyphs
    drawn: list[Piece] = [(f" {glyphs.cursor if is_selected else ' '} ", TITLE)]
    for each in shown:
        pieces = _CELLS[each.key](service, scene, each)
        blank = " " * max(each.width - length(pieces), 0)
        gap = " " * each.gap
        drawn.append((gap + blank if each.is_right else gap, PLAIN))
        drawn += pieces
        if not each.is_right:
            drawn.append((blank, PLAIN))
    return tuple(drawn)


_Cells = list["Piece"]


def _text(text: str, column: Column, scene: Scene, style: str = PLAIN) -> _Cells:
    put = right if column.is_right else left
    return [(put(text, column.width, scene.glyphs.cut), style)]


def _marked(text: str, column: Column, scene: Scene, style: str) -> _Cells:
    """A failure is reversed, so that it stands out without colours as well."""
    if style != looks.FAILED:
        return _text(text, column, scene, style)
    shown = cut(text, column.width, scene.glyphs.cut)
    return [(shown, f"{style} reverse"), (" " * (column.width - cell_len(shown)), PLAIN)]


def _name(service: Service, scene: Scene, column: Column) -> _Cells:
    is_failed = service.failed is not None and not looks.is_not_switched(service.failed)
    style = looks.FAILED if is_failed and not service.candidate else TITLE
    return _text(service.name, column, scene, style)


def _kind(service: Service, scene: Scene, column: Column) -> _Cells:
    return _text(service.kind, column, scene, MUTED)


def _access(service: Service, scene: Scene, column: Column) -> _Cells:
    look = access_look(service, scene.state.place, scene.glyphs)
    if look is None:
        return _text("", column, scene)
    text = f"{look.glyph} {look.word}" if column.title else look.glyph
    return _text(text, column, scene, look.style)


def _strip(service: Service, scene: Scene, _: Column) -> _Cells:
    is_moving = service.candidate is not None or service.is_moving
    cells = service_cells(service, scene.state.run)
    return list(draw(cells, scene.glyphs, is_moving=is_moving))


def _word(service: Service, scene: Scene, column: Column) -> _Cells:
    look = looks.stage_look(service, scene.state.run, scene.now, scene.glyphs)
    return _marked(looks.marked(look, scene.glyphs), column, scene, look.style)


def _health(service: Service, scene: Scene, column: Column) -> _Cells:
    look = looks.health_look(service, scene.glyphs)
    sign = look.glyph
    # The sign alone says it already where a word would not fit.
    text = f"{sign} {look.word}" if column.title and look.word != words.NONE else sign
    return _marked(text, column, scene, look.style)


def _id(deployment: Deployment | None, column: Column, scene: Scene, style: str) -> _Cells:
    text = deployment.short_id if deployment else words.NONE
    return _text(text, column, scene, style if deployment else MUTED)


def _live(service: Service, scene: Scene, column: Column) -> _Cells:
    return _id(service.live, column, scene, PLAIN)


def _next(service: Service, scene: Scene, column: Column) -> _Cells:
    return _id(service.candidate, column, scene, looks.WORKING)


def _previous(service: Service, scene: Scene, column: Column) -> _Cells:
    return _id(service.previous, column, scene, MUTED)


def is_stale(scene: Scene) -> bool:
    """Whether the figures are too old to be believed."""
    at = scene.state.figures_at
    return at is not None and words.seconds(at, scene.now) > STALE_AFTER_S


def _figure(tell: Callable[[Figures], str]) -> Callable[[Service, Scene, Column], _Cells]:
    def draw_figure(service: Service, scene: Scene, column: Column) -> _Cells:
        found = scene.state.figures.get(service.name)
        if found is None or service.live is None:
            return _text(words.NONE, column, scene, MUTED)
        if is_stale(scene):
            return _text("?", column, scene, looks.UNKNOWN)
        text = tell(found)
        return _text(text, column, scene, MUTED if text == words.NONE else PLAIN)

    return draw_figure


def _up(service: Service, scene: Scene, column: Column) -> _Cells:
    since = service.live.started_at if service.live else None
    if since is None:
        return _text(words.NONE, column, scene, MUTED)
    return _text(words.age(words.seconds(since, scene.now)), column, scene)


def _trend(service: Service, scene: Scene, column: Column) -> _Cells:
    if service.live is None:
        return _text("", column, scene)
    found = list(scene.trends.get(service.name, ()))[-_TREND_SAMPLES:]
    # Requests say most; what serves none is judged by the work it does.
    values = [each.requests_per_s for each in found]
    if not any(values):
        values = [each.cpu_percent for each in found]
    packed = buckets(values, column.width)
    return [(sparkline(packed, column.width, scene.glyphs.spark), MUTED)]


def buckets(values: Sequence[float | None], count: int) -> list[float | None]:
    """At most `count` values, each the largest of its neighbours, so that no peak is lost."""
    if len(values) <= count or not count:
        return list(values[:count])
    edges = [len(values) * each // count for each in range(count + 1)]
    groups = (values[start:end] for start, end in pairwise(edges))
    return [max((each for each in group if each is not None), default=None) for group in groups]


_CELLS: dict[str, Callable[[Service, Scene, Column], _Cells]] = {
    "name": _name,
    "kind": _kind,
    "access": _access,
    "strip": _strip,
    "word": _word,
    "health": _health,
    "live": _live,
    "next": _next,
    "previous": _previous,
    "cpu": _figure(lambda found: words.percent(found.cpu_percent)),
    "memory": _figure(lambda found: words.size(found.memory_bytes)),
    "requests": _figure(lambda found: words.rate(found.requests_per_s)),
    "up": _up,
    "trend": _trend,
    "p95": _figure(lambda found: words.milliseconds(found.p95_ms)),
}


def by_name(services: Iterable[Service]) -> list[str]:
    """The names in alphabetical order."""
    return sorted(each.name for each in services)


def by_attention(services: Iterable[Service]) -> list[str]:
    """What failed first, then what moves, then what is unhealthy, then the others by name."""
    ranked = sorted(services, key=lambda each: (looks.needs_attention(each), each.name))
    return [each.name for each in ranked]
