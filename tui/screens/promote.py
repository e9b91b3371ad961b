"""Where an environment is to be promoted to."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.binding import Binding, BindingType

from tui.screens.environments import EnvironmentsScreen

Json = dict[str, Any]


class PromoteScreen(EnvironmentsScreen):
    """Dismisses with the project and the environment that is the target, which may be new."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "switch", "promote to it", key_display="enter"),
        Binding("n", "name", "to a new environment"),
    ]
    NONE_KNOWN = "there is no other environment: n names a new one"

    def heading(self) -> str:
        """What is promoted."""
        return f"Promote {' / '.join(self._current)} to"

    def new_name_means(self) -> str:
        """It need not be there yet."""
        return "it comes to be with this promotion; its plan is shown first"

    def _choices(self, found: list[Json]) -> list[Json]:
        """The others of this project."""
        project, source = self._current
        return [each for each in found if each["project"] == project
                and each["environment"] != source]  # fmt: skip

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What is promoted has been chosen."""
        return False if action == "promote" else super().check_action(action, parameters)

    def refusal(self, name: str) -> str | None:
        """Nothing is promoted to itself."""
        if name == self._current[1]:
            return f"{name} is what is promoted: name another one"
        return super().refusal(name)
