"""The route rules, and which of them takes a request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Input, Static

from tui.screens.asking import Page
from tui.screens.listing import Listing
from tui.view import routing, words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from textual.app import ComposeResult

    from core.model import Project
    from tui.view.glyphs import Glyphs


class RoutesScreen(Page):
    """The rules of the project's file beside those that are live, and a request to try on them."""

    AUTO_FOCUS = "#request"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "try", "try a request"),
        Binding("tab", "app.focus_next", "rules", key_display="tab"),
    ]

    def __init__(
        self, project: Project | None, rules_live: Sequence[Mapping[str, Any]], glyphs: Glyphs
    ) -> None:
        """`rules_live`: the rules on all services, as `GET /v1/watch` tells of them."""
        super().__init__(glyphs)
        live = tuple(routing.rule_of(each) for each in rules_live)
        self._rules = routing.Rules(project.rules if project else None, live)
        names = list(project.services) if project else []
        self._known = list(dict.fromkeys([*self._rules.services, *names]))
        self._asked = "web" if "web" in self._known else next(iter(self._known), "web")

    def heading(self) -> str:
        """How many rules, and whose."""
        count = words.counted(len(self._rules.shown), "route rule")
        whose = "live" if self._rules.written is None else "in compartment.routes.yml"
        return f"Routes: {count} {whose}"

    def body(self) -> ComposeResult:
        """The request, what becomes of it, and the rules."""
        other = next((each for each in self._known if each != self._asked), None)
        hint = f"   or on another service: {other} GET /" if other else ""
        yield Input(placeholder=f"GET /api/users{hint}", id="request", compact=True)
        yield Static(id="decision", markup=False)
        yield Listing(routing.TITLES, self.glyphs.cut, routing.GIVES_WAY, "rules")

    def on_mount(self) -> None:
        """Everything is known already."""
        self.query_one(Listing).fill(self._rules.rows())
        self._explain("")
        waiting = self._rules.waiting
        if waiting:
            text = "; ".join(f"changed rules of {each} wait for a deployment of {each}"
                             for each in waiting)  # fmt: skip
            self.say(Content.styled(f"{self.glyphs.retrying} {text}", "$state-warning"))
        elif not self._rules.shown:
            self.say("no rules: every service handles the requests to its own host")

    @on(Input.Changed)
    def follow(self, event: Input.Changed) -> None:
        """Tries the request while it is typed."""
        self._explain(event.value)

    def _explain(self, text: str) -> None:
        request = routing.read_request(text, self._asked, self._known)
        if request is None:
            hint = f"type a request to {self._asked}: who takes it, and the path that it sees"
            shown = Content.styled(hint, "$foreground-muted")
        else:
            asked = f"{request.on}: {request.method} {request.target}"
            told = routing.explain(self._rules, request)
            shown = Content("\n").join([Content.styled(asked, "bold"), *map(Content, told)])
        self.query_one("#decision", Static).update(shown)

    def action_try(self) -> None:
        """Back to the request."""
        self.query_one(Input).focus()
