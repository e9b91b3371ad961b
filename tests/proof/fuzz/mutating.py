"""Mutations of what is valid: of its bytes, of its lines, of its words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_EDITS = 5
_FAR = 1_000_000

# What parsers stumble over: controls, broken and rare UTF-8, marks of order, quotes, braces.
NASTY = (
    *(b"\0", b"\t", b"\r", b"\n", b"\x1b[31m", b"\x7f", b"\xff", b"\xc3", b"\xed\xa0\x80"),
    *("\ufeff".encode(), "\u2028".encode(), "\u202e".encode(), "\U000e0041".encode(), "é".encode()),
    *(b"'", b'"', b"\\", b"`", b"$", b"${", b"}", b"{", b"[", b"]", b"#", b"%", b"@", b"!", b"~"),
    *(b"-", b"- ", b": ", b":", b"? ", b"&a ", b"*a", b"<<: ", b"|\n", b">-\n", b"---\n", b"...\n"),
    *(b"null", b"true", b"0", b"-1", b"1e999", b"0x", b".inf", b".nan", b"9" * 40, b"a" * 300),
    *(b"../", b"/", b"/dev/zero", b"~root", b"//", b"*", b"?", b"%2e%2e%2f", b"..\\"),
)


@st.composite
def mutated(
    draw: Callable[[st.SearchStrategy[Any]], Any],
    seeds: Sequence[bytes],
    words: Sequence[bytes] = (),
) -> bytes:
    """One of some texts, with a few edits: words of its kind, nasty ones, pieces of the others."""
    text: bytes = draw(st.sampled_from(seeds))
    inserted = st.sampled_from([*NASTY, *words]) | st.binary(max_size=4)
    for _ in range(draw(st.integers(1, _EDITS))):
        start = draw(st.integers(0, _FAR)) % (len(text) + 1)
        end = min(len(text), start + draw(st.integers(0, 24)))
        match draw(st.integers(0, 6)):
            case 0:
                text = text[:start] + draw(inserted) + text[start:]
            case 1:
                text = text[:start] + draw(inserted) + text[end:]
            case 2:
                text = text[:start] + text[end:]
            case 3:
                text = text[:end] + text[start:end] * draw(st.integers(1, 30)) + text[end:]
            case 4:
                text = _swapped(text, draw(st.integers(0, _FAR)), draw(st.integers(0, _FAR)))
            case 5:
                other: bytes = draw(st.sampled_from(seeds))
                at = draw(st.integers(0, _FAR)) % (len(other) + 1)
                text = text[:start] + other[at : at + 80] + text[end:]
            case _:
                text = text[:start] if draw(st.booleans()) else text[start:]
    return text


def _swapped(text: bytes, one: int, other: int) -> bytes:
    """Two of its lines change places."""
    lines = text.split(b"\n")
    i, j = one % len(lines), other % len(lines)
    lines[i], lines[j] = lines[j], lines[i]
    return b"\n".join(lines)


def everywhere(text: bytes, stride: int, offset: int = 0) -> list[bytes]:
    """A text with each of its bytes left out, changed, doubled, and the text ended before it."""
    found = []
    for at in range(offset % stride, len(text), stride):
        byte = text[at]
        inserted = [b"", bytes([byte ^ 1]), bytes([byte ^ 0x80]), bytes([byte, byte]), *NASTY[:8]]
        found += [text[:at] + each + text[at + 1 :] for each in inserted]
        found.append(text[:at])
    return found
