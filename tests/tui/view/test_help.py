from __future__ import annotations

import pytest

from tui.keys import KEYS, Scope, keys_of
from tui.view.glyphs import ASCII, UNICODE, Glyphs
from tui.view.help import key_name, keys_text, legend, markdown, sections


@pytest.mark.parametrize(
    ("key", "written"),
    [
        ("question_mark", "?"),
        ("equals_sign", "="),
        ("slash", "/"),
        ("backslash", "\\"),
        ("underscore", "_"),
        ("ctrl+underscore", "ctrl+_"),
        ("plus", "+"),
        ("ctrl+p", "ctrl+p"),
        ("escape", "esc"),
        ("enter", "enter"),
        ("shift+tab", "shift+tab"),
        ("left", "left"),
        ("pagedown", "pgdn"),
        ("D", "D"),
        ("0", "0"),
        ("f1", "f1"),
    ],
)
def test_keys_are_written_as_people_write_them(key: str, written: str) -> None:
    assert key_name(key) == written


def test_every_key_of_the_table_is_written_in_ascii() -> None:
    for key in KEYS:
        text = keys_text(key)
        assert text.isascii(), key.id
        assert not any(len(each) > 10 for each in text.split(" ")), key.id


def test_the_pane_in_focus_comes_first_and_every_key_once() -> None:
    found = sections(KEYS, Scope.LOGS)
    assert found[0].title == "in a log pane"
    assert sum(len(each.rows) for each in found) == len(KEYS)
    assert [each.title for each in sections(KEYS)][:2] == ["actions", "everywhere"]


def test_a_keymap_changes_what_is_written() -> None:
    found = sections(KEYS, None, {"app.deploy": "ctrl+g,F2"})
    assert found[0].rows[0][0] == "ctrl+g F2"


def test_a_read_only_dashboard_has_no_word_of_changing_keys() -> None:
    shown = sections(keys_of(*Scope, is_read_only=True))
    written = [does for section in shown for _, does in section.rows]
    assert "deploy what changed: shows the plan first" not in written
    assert "all keys, and what the signs mean" in written


@pytest.mark.parametrize("glyphs", [UNICODE, ASCII])
def test_the_legend_has_a_word_for_every_sign(glyphs: Glyphs) -> None:
    rows = legend(glyphs)
    assert all(sign and word and meaning for sign, word, meaning in rows)
    if glyphs.is_ascii:
        assert all(sign.isascii() for sign, _, _ in rows)


def test_the_page_of_the_documentation_names_every_id_and_keeps_its_tables() -> None:
    page = markdown(KEYS)
    for key in KEYS:
        assert f"| `{key.id}` |" in page
    for line in page.splitlines():
        if line.startswith("|"):
            cells = line.replace("\\|", "").count("|") - 1
            assert cells in (2, 3), line
    assert page.endswith("\n")
    assert not page.endswith("\n\n")
