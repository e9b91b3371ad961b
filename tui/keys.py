"""Every key in one table: footer, help, palette and keymap file are made from it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from textual.binding import Binding

if TYPE_CHECKING:
    from collections.abc import Iterable

    from textual.binding import BindingType


class Scope(StrEnum):
    """Where a key works."""

    ACTIONS = "actions"
    """On every screen pane, on the selected service or the whole project."""
    GLOBAL = "everywhere"
    SERVICES = "services"
    LOGS = "log panes"
    HISTORY = "history"
    VARIABLES = "variables"


@dataclass(frozen=True, slots=True)
class Key:
    """One action with its keys; `keys` as Textual spells them, separated by commas."""

    id: str
    keys: str
    action: str
    """The Textual action, such as `deploy` or `pane(1)`."""
    label: str
    """One or two words, for the footer."""
    help: str
    scope: Scope
    is_shown: bool = False
    """Whether the footer shows it."""
    changes: bool = False
    """Whether it changes what runs; left out with `--read-only`."""
    in_palette: bool = True

    @property
    def binding(self) -> Binding:
        """As Textual takes it."""
        return Binding(self.keys, self.action, self.label, id=self.id, show=self.is_shown)


_A, _G, _S, _L, _H = Scope.ACTIONS, Scope.GLOBAL, Scope.SERVICES, Scope.LOGS, Scope.HISTORY
_V = Scope.VARIABLES

KEYS: tuple[Key, ...] = (
    Key("app.deploy", "D", "deploy", "deploy", "deploy what changed: shows the plan first", _A,
        is_shown=True, changes=True),
    Key("app.redeploy", "r", "redeploy", "redeploy", "replace the selected service", _A,
        is_shown=True, changes=True),
    Key("app.redeploy_all", "R", "redeploy_all", "redeploy all",
        "replace every service, the unchanged too: shows the plan first", _A, changes=True),
    Key("app.rollback", "b", "rollback", "roll back",
        "roll the selected service back to its previous deployment", _A,
        is_shown=True, changes=True),
    Key("app.rollback_all", "B", "rollback_all", "roll back all",
        "roll every service back: shows the plan first", _A, changes=True),
    Key("app.cancel", "x", "cancel", "cancel run",
        "cancel the run: before the switch nothing live changes", _A, is_shown=True, changes=True),
    Key("app.promote", "P", "promote", "promote",
        "promote this environment to another one: shows the plan first", _A, changes=True),
    Key("app.hold", "p", "hold", "hold",
        "hold the run before its switch, or let it go on", _A, is_shown=True, changes=True),
    Key("app.execute", "X", "execute", "run now", "run the selected job or cron now", _A,
        changes=True),
    Key("app.end", "K", "end_execution", "end execution",
        "end the running execution of the selected job or cron", _A, changes=True),
    Key("app.shell", "e", "shell", "shell", "a shell in the folder or container of the selected"
        " service, with its environment", _A, changes=True),
    Key("app.edit", "E", "edit", "edit", "edit the project file", _A, changes=True),
    Key("app.open", "o", "open", "open", "open the URL of the selected service, and show it", _A),
    Key("app.only", "l", "only", "only this", "show only the selected service in the log panes;"
        " again for all", _A),
    Key("app.search", "slash", "search", "search", "search in a log pane", _L, is_shown=True),
    Key("app.zoom", "z,plus", "zoom", "zoom", "give the pane the whole screen; esc goes back", _G,
        is_shown=True),
    Key("app.help", "question_mark,f1", "help", "help", "all keys, and what the signs mean", _G,
        is_shown=True),
    Key("app.palette", "colon,ctrl+p", "command_palette", "palette",
        "every verb by name", _G, is_shown=True, in_palette=False),
    Key("app.quit", "q", "quit_or_ask", "quit", "quit; what runs goes on, and a run as well", _G,
        is_shown=True),
    Key("app.history", "H", "history", "history", "runs and deployments, and rolling back to one",
        _G),
    Key("app.variables", "v", "variables", "variables",
        "the variables of the environment and its services", _G),
    Key("app.diff", "equals_sign", "diff", "diff", "what differs between two deployments", _G),
    Key("app.routes", "U", "routes", "routes", "the route rules, and which one takes a request",
        _G),
    Key("app.networks", "C", "networks", "networks", "the networks, and who reaches whom on them",
        _G),
    Key("app.events", "exclamation_mark", "events", "events", "everything that happened", _G),
    Key("app.environments", "0", "environments", "environments", "the environments, and switching"
        " to another one", _G),
    Key("app.theme", "T", "theme", "theme", "choose a theme", _G),
    Key("app.detail", "backslash", "detail", "detail", "hide or show the service's detail", _G),
    Key("app.taller", "underscore", "split(-1)", "logs taller", "give the log panes more rows", _G),
    Key("app.shorter", "ctrl+underscore", "split(1)", "logs shorter", "give the services more rows",
        _G),
    Key("app.screenshot", "ctrl+s", "picture", "picture",
        "save a picture of the screen as SVG", _G),
    Key("app.mouse", "M", "mouse", "mouse", "hand the mouse to the terminal for a while, for its"
        " own selection", _G),
    Key("app.suspend", "ctrl+z", "suspend_process", "suspend",
        "back to the shell; `fg` returns", _G, in_palette=False),
    Key("app.redraw", "ctrl+l", "redraw", "redraw", "draw the whole screen again", _G),
    Key("app.back", "escape", "back", "back", "one step back", _G, in_palette=False),
    Key("app.next_pane", "tab", "next_pane(1)", "next pane", "next pane", _G, in_palette=False),
    Key("app.previous_pane", "shift+tab", "next_pane(-1)", "previous pane", "previous pane", _G,
        in_palette=False),
    *(
        Key(f"app.pane_{number}", str(number), f"pane({number})", name, f"go to {name}", _G,
            in_palette=False)
        for number, name in enumerate(
            ("services", "compartment log", "stdout", "stderr", "detail", "history"), start=1
        )
    ),
    Key("services.open", "enter", "open_service", "open", "everything about the service", _S),
    Key("services.down", "j,down", "move(1)", "down", "next service", _S, in_palette=False),
    Key("services.up", "k,up", "move(-1)", "up", "previous service", _S, in_palette=False),
    Key("services.first", "g,home", "move_to(0)", "first", "first service", _S, in_palette=False),
    Key("services.last", "G,end", "move_to(-1)", "last", "last service", _S, in_palette=False),
    Key("services.sort", "S", "sort", "sort", "sort by name, or by what needs attention", _S),
    Key("log.follow", "f,G,end", "follow", "follow", "follow the newest lines", _L),
    Key("log.oldest", "g,home", "oldest", "oldest", "the oldest line that is kept", _L),
    Key("log.down", "j,down", "cursor(1)", "down", "one line down", _L, in_palette=False),
    Key("log.up", "k,up", "cursor(-1)", "up", "one line up, which pauses", _L, in_palette=False),
    Key("log.page_down", "space,pagedown", "page(1)", "page down", "a page down", _L,
        in_palette=False),
    Key("log.page_up", "pageup", "page(-1)", "page up", "a page up, which pauses", _L,
        in_palette=False),
    Key("log.half_down", "ctrl+d", "page(0.5)", "half page down", "half a page down", _L,
        in_palette=False),
    Key("log.half_up", "ctrl+u", "page(-0.5)", "half page up", "half a page up, which pauses", _L,
        in_palette=False),
    Key("log.left", "less_than_sign,left,h", "sideways(-1)", "left", "half a screen to the left",
        _L, in_palette=False),
    Key("log.right", "greater_than_sign,right", "sideways(1)", "right",
        "half a screen to the right", _L, in_palette=False),
    Key("log.next", "n", "match(1)", "next match", "next match of the search", _L),
    Key("log.previous", "N", "match(-1)", "previous match", "previous match of the search", _L),
    Key("log.filter", "ampersand", "filter", "filter",
        "show only lines with: text, /regex/, or !not", _L),
    Key("log.level", "L", "level", "level", "least level: all, info, warn, error", _L),
    Key("log.time", "t", "time", "time", "times: clock, none, how long ago", _L),
    Key("log.wrap", "w", "wrap", "wrap", "wrap long lines, or not", _L),
    Key("log.json", "J", "json", "json", "lines that are JSON as `level message key=value`, or as"
        " they are", _L),
    Key("log.mark", "m", "mark", "mark", "mark the line, or take its mark away", _L),
    Key("log.next_mark", "apostrophe", "next_mark", "next mark", "the next marked line", _L),
    Key("log.link", "ctrl+t", "link", "link", "the other log panes go along, to the same second;"
        " again not", _L),
    Key("log.copy_line", "y,c", "copy_line", "copy line", "copy the line, or the selection", _L),
    Key("log.copy_shown", "Y", "copy_shown", "copy shown", "copy all lines that the filter shows",
        _L),
    Key("log.save", "s", "save", "save", "save the lines that the filter shows to a file", _L),
    Key("log.minute_back", "left_square_bracket", "minute(-1)", "minute back", "one minute back",
        _L),
    Key("log.minute_forward", "right_square_bracket", "minute(1)", "minute forward",
        "one minute forward", _L),
    Key("log.line", "enter", "show_line", "whole line", "the whole line, and the other streams at"
        " that second", _L),
    Key("log.copy_selection", "ctrl+c,super+c", "copy_selection", "copy",
        "copy the selection", _L, in_palette=False),
    Key("log.back", "escape", "clear_search", "clear",
        "clear the selection, then the search, then the filter", _L, in_palette=False),
    Key("log.clear", "ctrl+k", "clear", "clear", "clear the view; the files keep everything", _L),
    Key("history.back_to", "b", "roll_back_to", "roll back to this",
        "roll the service back to this deployment", _H, is_shown=True, changes=True),
    Key("history.diff", "equals_sign", "diff_with", "diff",
        "what differs between this deployment and the live one", _H, is_shown=True),
    Key("variables.edit", "enter", "edit_variable", "edit", "change the value", _V,
        is_shown=True, changes=True),
    Key("variables.add", "a", "add_variable", "add", "set another variable", _V,
        is_shown=True, changes=True),
    Key("variables.remove", "u,delete", "remove_variable", "unset", "remove the variable", _V,
        is_shown=True, changes=True),
    Key("variables.sensitive", "m", "mark_sensitive", "mark sensitive",
        "never show the value again, nor in any log", _V, is_shown=True, changes=True),
    Key("variables.import", "i", "import_variables", "import", "set all variables of a .env file",
        _V, is_shown=True, changes=True),
)  # fmt: skip


def keys_of(*scopes: Scope, is_read_only: bool = False) -> list[Key]:
    """The keys of some scopes; those that change anything are left out where that is not wanted."""
    return [key for key in KEYS if key.scope in scopes and not (is_read_only and key.changes)]


def bindings(keys: Iterable[Key]) -> list[BindingType]:
    """The same as Textual takes them."""
    return [key.binding for key in keys]
