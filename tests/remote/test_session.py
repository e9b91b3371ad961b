from __future__ import annotations

import pytest

from core.remote.session import _document


@pytest.mark.parametrize(
    ("said", "found"),
    [
        (b'{"a": 1}', {"a": 1}),
        (b'{\n  "a": {"b": 2}\n}\n', {"a": {"b": 2}}),
        (b'Welcome!\nyour {quota} is full\n{"a": 1}\n', {"a": 1}),
        (b'{"a": ', None),
        (b"Welcome!\n", None),
        (b"", None),
    ],
)
def test_what_is_told_is_found_once_it_is_whole(said: bytes, found: object) -> None:
    assert _document(said) == found
