from __future__ import annotations

import pytest

from core.config.document import Position
from core.config.text import MAX_BYTES, UnreadableText, decode


def test_byte_order_mark_is_dropped() -> None:
    assert decode(b"\xef\xbb\xbfname: caf\xc3\xa9\n") == "name: café\n"


@pytest.mark.parametrize(
    ("content", "position", "message"),
    [
        (b"a: 1\nb: \xff\n", (2, 4), "the file is not UTF-8: byte 0xff"),
        (b"\xef\xbb\xbfa: \xc3\xa9\xe9", (1, 5), "the file is not UTF-8: byte 0xe9"),
        ("a: 1".encode("utf-16"), (1, 1), "the file is not UTF-8: byte 0xff"),
        (b"a: \xed\xa0\x80", (1, 4), "the file is not UTF-8: byte 0xed"),
        (b"a: 1\r\nb:\0", (2, 3), "the character U+0000 is not allowed in this file"),
        (b"a: \x1b[31m", (1, 4), "the character U+001B is not allowed in this file"),
        (b"a\rb\x7f", (2, 2), "the character U+007F is not allowed in this file"),
        ("# a\u2028b: 1".encode(), (1, 4), "the character U+2028 is not allowed in this file"),
        ("# a\x85b: 1".encode(), (1, 4), "the character U+0085 is not allowed in this file"),
        ("a: \ufeffb".encode(), (1, 4), "the character U+FEFF is not allowed in this file"),
        (b"#" * (MAX_BYTES + 1), (1, 1), "the file is larger than 1024 KiB"),
    ],
)
def test_refused_with_position(content: bytes, position: tuple[int, int], message: str) -> None:
    with pytest.raises(UnreadableText) as caught:
        decode(content)

    assert caught.value.position == Position(*position)
    assert caught.value.message == message


def test_largest_file_is_accepted() -> None:
    assert len(decode(b"#" * MAX_BYTES)) == MAX_BYTES
