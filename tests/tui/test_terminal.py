"""When only ASCII is drawn."""

from __future__ import annotations

import pytest

from tui.terminal import is_plain


@pytest.mark.parametrize(
    ("environ", "has_utf8_mode", "plain"),
    [
        ({"LANG": "C.UTF-8"}, False, False),
        ({"LANG": "de_DE.utf8"}, False, False),
        ({"LANG": "en_US.UTF-8", "TERM": "linux"}, False, True),
        ({"LANG": "en_US.ISO-8859-1"}, False, True),
        ({}, False, True),
        ({"LANG": "C", "LC_CTYPE": "C.UTF-8"}, True, True),
        ({"LC_CTYPE": "C.UTF-8"}, False, False),
        ({"LANG": "C.UTF-8", "LC_ALL": "C"}, True, True),
        ({"LANG": "C", "LC_ALL": "en_US.UTF-8"}, False, False),
        ({"LANG": "", "LC_CTYPE": "en_US.UTF-8"}, False, False),
        ({"LANG": "de_DE.UTF-8", "LC_CTYPE": "C.UTF-8"}, True, False),
    ],
)
def test_ascii_is_for_locales_that_are_not_utf_8(
    environ: dict[str, str], has_utf8_mode: bool, plain: bool
) -> None:
    assert is_plain(environ, has_utf8_mode=has_utf8_mode) is plain
