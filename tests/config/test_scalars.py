from __future__ import annotations

import math

import pytest

from core.config.scalars import resolve


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("~", None),
        ("null", None),
        ("Null", None),
        ("NULL", None),
        ("true", True),
        ("True", True),
        ("TRUE", True),
        ("false", False),
        ("False", False),
        ("FALSE", False),
        ("0", 0),
        ("-0", 0),
        ("+12", 12),
        ("-7", -7),
        ("0o17", 15),
        ("0xFf", 255),
        ("1.5", 1.5),
        ("-.5", -0.5),
        ("1.", 1.0),
        ("1e3", 1000.0),
        ("1.5E-1", 0.15),
        ("0.5", 0.5),
        (".inf", math.inf),
        ("+.INF", math.inf),
        ("-.Inf", -math.inf),
        ("999999999999999999", 999_999_999_999_999_999),
    ],
)
def test_core_schema(text: str, value: object) -> None:
    resolved = resolve(text)

    assert resolved == value
    assert type(resolved) is type(value)


@pytest.mark.parametrize("text", [".nan", ".NaN", ".NAN"])
def test_not_a_number(text: str) -> None:
    resolved = resolve(text)

    assert isinstance(resolved, float)
    assert math.isnan(resolved)


@pytest.mark.parametrize(
    "text",
    [
        *("no", "yes", "on", "off", "y", "n", "tRue", "nULL", ".Nan", "-.nan"),
        *("22:22", "12:30:45", "2024-01-01", "1_000", "0b11", "=", "<<", "1e", ".", "-", "+", "e5"),
        *("0755", "-012", "00", "01.5", "08e1", "0o8", "0xg", "-0x1", "0O17", "0X1", " 1", "1 "),
        *("1" * 19, "9" * 5000, "0x" + "f" * 17),
    ],
)
def test_everything_else_stays_text(text: str) -> None:
    assert resolve(text) == text
