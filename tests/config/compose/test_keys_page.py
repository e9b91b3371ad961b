"""The page about Compose keys says what the tables say."""

from __future__ import annotations

from pathlib import Path

from core.config.compose.keys import catalogue

PAGE = Path(__file__).parents[3] / "docs" / "compose-keys.md"


def test_the_page_is_made_from_the_tables() -> None:
    made = (
        "python -c 'from core.config.compose.keys.catalogue import markdown; "
        'print(markdown(), end="")\''
    )
    assert PAGE.read_text() == catalogue.markdown(), f"make it anew: {made}"


def test_no_key_is_without_words() -> None:
    assert not [row.key for row in catalogue.rows() if not row.words]


def test_no_key_is_listed_twice() -> None:
    keys = [row.key for row in catalogue.rows()]
    assert len(keys) == len(set(keys))
