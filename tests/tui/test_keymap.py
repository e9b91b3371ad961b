"""A person's own keys, and what is said of those that cannot be."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import pytest
from textual.app import App
from textual.widgets import Footer
from textual.widgets._footer import FooterKey

from tui.keymap import keymap_path, load_keymap
from tui.keys import KEYS, Scope, bindings, keys_of

if TYPE_CHECKING:
    from pathlib import Path

    from textual.app import ComposeResult
    from textual.binding import BindingType


def load(tmp_path: Path, text: str) -> tuple[dict[str, str], list[str]]:
    file = tmp_path / "keys.toml"
    file.write_text(text)
    mapping, warnings = load_keymap(file)
    assert all("\n" not in warning for warning in warnings)
    return mapping, [warning.removeprefix(str(file)) for warning in warnings]


@pytest.mark.parametrize(
    "text",
    ['"app.deploy" = "ctrl+g"', 'app.deploy = "ctrl+g"', '# mine\n[app]\ndeploy = "ctrl+g"'],
)
def test_every_way_to_write_an_id(tmp_path: Path, text: str) -> None:
    assert load(tmp_path, text) == ({"app.deploy": "ctrl+g"}, [])


def test_keys_get_the_names_that_textual_knows(tmp_path: Path) -> None:
    mapping, warnings = load(
        tmp_path, '"log.down" = "j, down,ctrl+n,;"\n"app.edit" = "é"\n"app.open" = "f5"'
    )
    assert mapping == {"log.down": "j,down,ctrl+n,semicolon", "app.edit": "é", "app.open": "f5"}
    assert warnings == []


def test_two_keys_can_be_exchanged(tmp_path: Path) -> None:
    mapping, warnings = load(tmp_path, '"app.redeploy" = "o"\n"app.open" = "r"')
    assert mapping == {"app.redeploy": "o", "app.open": "r"}
    assert warnings == []


def test_an_unknown_id_names_its_line_and_the_nearest_one(tmp_path: Path) -> None:
    mapping, warnings = load(tmp_path, '# mine\n"app.deplyo" = "g"\n"app.open" = "O"')
    assert mapping == {"app.open": "O"}
    assert warnings == [":2: there is no key 'app.deplyo'; did you mean \"app.deploy\"?"]


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ("esc", "there is no key 'esc'; did you mean escape?"),
        ("F5", "there is no key 'F5'; did you mean f5?"),
        ("ctrl+nonsense", "there is no key 'ctrl+nonsense'"),
        ("control+g", "there is no key 'control+g'; did you mean ctrl?"),
        ("g,,h", "there is no key ''"),
        ("shift+d", "write D for shift+d"),
        ("ctrl+D", "write ctrl+shift+d for ctrl+D"),
        ("ctrl+q", "ctrl+q quits whatever happens, and stays so"),
    ],
)
def test_an_unknown_key(tmp_path: Path, keys: str, told: str) -> None:
    mapping, warnings = load(tmp_path, f'"app.deploy" = "{keys}"\n"app.open" = "O"')
    assert mapping == {"app.open": "O"}
    assert warnings == [f":1: app.deploy: {told}"]


def test_a_clash_names_both_and_only_those_keep_their_defaults(tmp_path: Path) -> None:
    mapping, warnings = load(
        tmp_path, '"app.redeploy" = "g"\n"app.shell" = "O"\n"app.theme" = "O"\n"log.wrap" = "W"'
    )
    # `g` is the first service and the oldest line, in panes where `app.redeploy` works as well.
    assert mapping == {"log.wrap": "W"}
    assert ":1: app.redeploy and services.first both want g; both keep their defaults" in warnings
    assert ":2: app.shell and app.theme both want O; both keep their defaults" in warnings
    assert len(warnings) == 2


def test_who_falls_back_to_a_default_may_clash_in_turn(tmp_path: Path) -> None:
    text = '"app.deploy" = "o"\n"app.open" = "D"\n"app.theme" = "o"'
    mapping, warnings = load(tmp_path, text)
    assert mapping == {}
    assert len(warnings) == 2


def test_panes_do_not_clash_with_each_other(tmp_path: Path) -> None:
    keys = '"services.sort" = "F"\n"log.wrap" = "F"'
    assert load(tmp_path, keys) == ({"services.sort": "F", "log.wrap": "F"}, [])


@pytest.mark.parametrize("value", ["1", '["g"]', '""', "true"])
def test_a_value_that_is_no_text(tmp_path: Path, value: str) -> None:
    mapping, warnings = load(tmp_path, f'"app.deploy" = {value}')
    assert mapping == {}
    assert warnings == [':1: app.deploy needs a text such as "ctrl+g" or "j,down"']


def test_of_broken_toml_the_rest_applies(tmp_path: Path) -> None:
    mapping, warnings = load(tmp_path, '"app.deploy" = "ctrl+g"\n"app.open" "O"\n"app.edit" = "F"')
    assert mapping == {"app.deploy": "ctrl+g", "app.edit": "F"}
    assert len(warnings) == 1
    assert warnings[0].startswith(":2: ")


@pytest.mark.parametrize("text", ['"app.deploy" = """', '"app.deploy" = "g', "[", "=", "\n\n]]"])
def test_any_broken_toml_is_told_of(tmp_path: Path, text: str) -> None:
    mapping, warnings = load(tmp_path, text)
    assert mapping == {}
    assert warnings


def test_what_is_not_text_is_told_of(tmp_path: Path) -> None:
    file = tmp_path / "keys.toml"
    file.write_bytes(b"\xff\xfe")
    assert load_keymap(file) == ({}, [f"{file} is not UTF-8"])
    assert load_keymap(tmp_path) == ({}, [f"{tmp_path} cannot be read: Is a directory"])


def test_where_the_file_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert keymap_path().parts[-2:] == ("compartment", "keys.toml")
    assert load_keymap() == ({}, [])
    file = tmp_path / "mine.toml"
    monkeypatch.setenv("COMPARTMENT_KEYS", str(file))
    assert keymap_path() == file
    assert load_keymap() == ({}, [f"{file} does not exist; COMPARTMENT_KEYS names it"])


def test_the_defaults_would_pass_as_a_file(tmp_path: Path) -> None:
    text = "\n".join(f'"{key.id}" = "{key.keys}"' for key in KEYS)
    mapping, warnings = load(tmp_path, text)
    assert warnings == []
    assert mapping.keys() == {key.id for key in KEYS}


class Keyed(App[None]):
    """An app with the dashboard's keys, which notes what was done."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(keys_of(Scope.ACTIONS, Scope.GLOBAL))]

    def __init__(self) -> None:
        super().__init__()
        self.done: list[str] = []

    def compose(self) -> ComposeResult:
        yield Footer()

    def action_deploy(self) -> None:
        self.done.append("deploy")

    def action_redeploy(self) -> None:
        self.done.append("redeploy")

    def action_cancel(self) -> None:
        self.done.append("cancel")

    def footer(self) -> dict[str, str]:
        return {key.description: key.key_display for key in self.query(FooterKey)}


async def test_textual_acts_and_shows_by_the_mapping(tmp_path: Path) -> None:
    app = Keyed()
    async with app.run_test(size=(160, 10)) as pilot:
        await pilot.pause()
        assert app.footer()["deploy"] == "D"
        mapping, _ = load(
            tmp_path, '"app.deploy" = "ctrl+g,é"\n"app.redeploy" = "x"\n"app.cancel" = "r"'
        )
        app.set_keymap(mapping)
        await pilot.pause()
        assert (app.footer()["deploy"], app.footer()["redeploy"]) == ("^g", "x")
        await pilot.press("D", "ctrl+g", "é", "x", "r")
        assert app.done == ["deploy", "deploy", "redeploy", "cancel"]
