"""Values that must not be shown are found in every form in which programs print them."""

from __future__ import annotations

import json
import time
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.lines import LINE_LIMIT, LineSplitter, clean
from core.secrets import HIDDEN, Mask

HOSTILE = "pa$$ \"w'\\#=\ttab;&|<>*?`é日🙂%0A/+end"
KEY = "-----BEGIN KEY-----\nMIIEvQ=/+abc\n  indented line\nxyz\n-----END KEY-----\n"


def split(mask: Mask, *chunks: bytes) -> list[str]:
    splitter = LineSplitter(mask)
    return [line for chunk in chunks for line in splitter.feed(chunk)] + splitter.flush()


@pytest.mark.parametrize(
    "form",
    [
        HOSTILE,
        json.dumps(HOSTILE)[1:-1],
        json.dumps(HOSTILE, ensure_ascii=False)[1:-1],
        json.dumps(HOSTILE)[1:-1].translate({60: "\\u003c", 62: "\\u003e", 38: "\\u0026"}),
        repr(HOSTILE)[1:-1],
        quote(HOSTILE),
        quote(HOSTILE, safe=""),
        quote(HOSTILE, safe="!*'()"),
        quote_plus(HOSTILE),
        clean(HOSTILE),
    ],
)
def test_every_form_is_hidden(form: str) -> None:
    assert Mask([HOSTILE]).mask(f"before {form} after {form}") == (
        f"before {HIDDEN} after {HIDDEN}"
    )


def test_lines_of_a_value_are_hidden_one_by_one() -> None:
    lines = split(Mask([KEY]), f"key: {KEY}".encode())
    assert lines == [f"key: {HIDDEN}", HIDDEN, f"  {HIDDEN}", "xyz", HIDDEN]


def test_short_values_are_left_and_longer_ones_go_first() -> None:
    mask = Mask(["abc", "abcd", "abcdefgh"])
    assert mask.mask("abc abcd abcdefgh") == f"abc {HIDDEN} {HIDDEN}"
    assert Mask(["", "x"]).mask("x and y") == "x and y"


def test_what_is_added_later_is_hidden_too() -> None:
    mask = Mask()
    assert (mask.reach, mask.mask("later")) == (0, "later")
    mask.add(["later"])
    assert mask.mask("see you later") == f"see you {HIDDEN}"


def test_control_codes_around_and_within_a_value_hide_nothing_of_it_from_us() -> None:
    secret = "open\x1b[1msesame\x07!"
    assert split(Mask([secret]), f"a {secret} b\n".encode()) == [f"a {HIDDEN} b"]
    (line,) = split(Mask(["Hunter22"]), b"\x1b[Hunter22 \x1b[31mHunter22\x1b[0m\n")
    assert "unter22" not in line


@given(st.integers(0, 70_000), st.sampled_from(["s3cret-" * 600, "日本語の秘密🙂" * 500]))
def test_a_value_across_the_end_of_what_is_kept_leaves_no_part(before: int, secret: str) -> None:
    (line,) = split(Mask([secret]), b"x" * before + secret.encode() + b"y" * 80_000 + b"\n")
    assert len(line) < LINE_LIMIT + 40
    assert set(line.partition(" … [")[0]) <= set("xy*")


@given(st.data())
def test_chunks_make_no_difference(data: st.DataObject) -> None:
    raw = f"one {HOSTILE}\ntwo {KEY}\nthree".encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=8)))
    chunks = [raw[a:b] for a, b in zip([0, *cuts], [*cuts, len(raw)], strict=True)]
    mask = Mask([HOSTILE, KEY])
    assert split(mask, *chunks) == split(mask, raw)


def test_the_search_is_linear_on_hostile_input() -> None:
    mask = Mask(
        ["a" * 4000 + "b", "ab" * 2000 + "c", *(f"token-{n}-{'a' * 40}" for n in range(20))]
    )
    started = time.perf_counter()
    assert mask.mask("a" * 1_000_000) == "a" * 1_000_000
    assert mask.mask("ab" * 500_000) == "ab" * 500_000
    assert time.perf_counter() - started < 30, "quadratic would take minutes"
