"""The help page and `docs/keys.md`, both made from the table of keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.keys import format_key

from tui.keys import Scope

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tui.keys import Key
    from tui.view.glyphs import Glyphs

_NAMES = {
    "enter": "enter",
    "up": "up",
    "down": "down",
    "left": "left",
    "right": "right",
    "pageup": "pgup",
    "pagedown": "pgdn",
}
"""Words where Textual has signs that not every terminal shows, or shows as two cells."""


@dataclass(frozen=True, slots=True)
class Section:
    """Keys that work in the same place: how they are written, and what they do."""

    title: str
    rows: tuple[tuple[str, str], ...]


def key_name(key: str) -> str:
    """A key as people write it: `question_mark` is `?`, `ctrl+p` stays as it is."""
    *modifiers, last = key.split("+")
    return "+".join([*modifiers, _NAMES.get(last) or format_key(last)])


def keys_text(key: Key, keymap: Mapping[str, str] | None = None) -> str:
    """All keys of an action, such as `? f1`, as the keymap has them."""
    keys = (keymap or {}).get(key.id, key.keys)
    return " ".join(key_name(each.strip()) for each in keys.split(","))


def sections(
    keys: Iterable[Key], first: Scope | None = None, keymap: Mapping[str, str] | None = None
) -> list[Section]:
    """The keys by scope: the one in focus first, then what works everywhere."""
    known = list(keys)
    order = list(Scope)
    if first is not None:
        order = [first, *(each for each in order if each is not first)]
    found = []
    for scope in order:
        rows = tuple((keys_text(key, keymap), key.help) for key in known if key.scope is scope)
        if rows:
            found.append(Section(_TITLES[scope], rows))
    return found


_TITLES = {
    Scope.ACTIONS: "actions",
    Scope.GLOBAL: "everywhere",
    Scope.SERVICES: "in the list of services",
    Scope.LOGS: "in a log pane",
    Scope.HISTORY: "in the history",
    Scope.VARIABLES: "in the variables",
}


def legend(glyphs: Glyphs) -> list[tuple[str, str, str]]:
    """Each sign with its word and its meaning; signs never stand without a word."""
    return [
        (glyphs.healthy, "healthy", "it answers; succeeded"),
        (glyphs.working, "working", "a run is at work on it"),
        (glyphs.retrying, "retrying", "readiness fails and is tried again; it was restarted"),
        (glyphs.failed, "failed", "the deployment failed, or what is live is unhealthy"),
        (glyphs.rolled_back, "rolled back", "an earlier deployment took its place again"),
        (glyphs.queued, "queued", "waits for its turn"),
        (glyphs.stopped, "stopped", "taken down, or never deployed"),
        (glyphs.unknown, "unknown", "no data: the agent does not answer"),
        (glyphs.live, "live", "serves requests at this moment"),
        (glyphs.cursor, "selected", "what the keys act on"),
        (glyphs.stage_done, "done", "this stage is behind it"),
        (glyphs.stage_now, "now", "this stage goes on"),
        (glyphs.stage_waits, "waits", "ready: waits for the others, then all switch together"),
        (glyphs.stage_failed, "failed", "this stage failed"),
        (glyphs.stage_to_come, "to come", "this stage is still to come"),
        (glyphs.cut, "cut", "the text is longer than its place"),
        ("~", "not live", "behind a name in a log: a deployment that does not serve"),
        (glyphs.login, "login", "asks for a login; `nobody`: there is no user who has one"),
        (glyphs.mark, "marked", "a log line to come back to"),
    ]


def markdown(keys: Sequence[Key]) -> str:
    """The page of the documentation about keys."""
    parts = [
        "# Keys",
        "",
        "Made from the table in `tui/keys.py`; the dashboard shows the same with `?`.",
    ]
    for section in sections(keys):
        parts += ["", f"## {section.title.capitalize()}", "", "| key | does |", "|---|---|"]
        parts += [f"| {_code(written)} | {_cell(does)} |" for written, does in section.rows]
    parts += ["", "## Ids", "", "The names of the actions in `keys.toml`.", ""]
    parts += ["| id | keys | action |", "|---|---|---|"]
    parts += [f"| `{key.id}` | {_code(keys_text(key))} | {_cell(key.label)} |" for key in keys]
    return "\n".join(parts) + "\n"


def _code(written: str) -> str:
    return " ".join(f"`{_cell(each)}`" for each in written.split(" "))


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
