"""Durations and sizes, as Go reads and writes them."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from core.config.compose.keys.places import Wrong
from core.config.document import describe

if TYPE_CHECKING:
    from core.config.compose.keys.places import At

_SECOND = 10**9
_UNITS_NS = {
    "ns": 1,
    "us": 1000,
    "µs": 1000,
    "μs": 1000,
    "ms": 10**6,
    "s": _SECOND,
    "m": 60 * _SECOND,
    "h": 3600 * _SECOND,
    "d": 86_400 * _SECOND,
    "w": 604_800 * _SECOND,
}
_PART = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h|d|w)")
_DURATION = re.compile(f"({_PART.pattern})+")
_MAX_NS = 2**63 - 1
_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?([kmgtp]?)i?b?", re.IGNORECASE)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4, "p": 5}
_MAX_BYTES = 2**63 - 1


def nanoseconds(text: str) -> int | None:
    """Return how long a duration such as `1m30s` is; None if the text is none."""
    if text == "0":
        return 0
    if len(text) > 64 or not _DURATION.fullmatch(text):
        return None
    parts = _PART.findall(text)
    total = sum(Fraction(count.rstrip(".")) * _UNITS_NS[unit] for count, unit in parts)
    return int(total) if total <= _MAX_NS else None


def duration_text(total_ns: int) -> str:
    """Return a duration as Go writes it: `1m30s`, `1.5s`, `250ms`."""
    if total_ns == 0:
        return "0s"
    for unit, size in (("ns", 1), ("µs", 1000), ("ms", 10**6)):
        if total_ns < size * 1000:
            return f"{_decimal(total_ns, size)}{unit}"
    minutes, rest_ns = divmod(total_ns, 60 * _SECOND)
    seconds = f"{_decimal(rest_ns, _SECOND)}s"
    if not minutes:
        return seconds
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes}m{seconds}" if hours else f"{minutes}m{seconds}"


def _decimal(total_ns: int, size: int) -> str:
    whole, rest = divmod(total_ns, size)
    digits = str(rest).rjust(len(str(size)) - 1, "0").rstrip("0")
    return f"{whole}.{digits}" if digits else str(whole)


def seconds(text: str) -> float:
    """Return how long a canonical duration is."""
    return (nanoseconds(text) or 0) / _SECOND


def duration(value: Any, _: At) -> str:
    """A duration, as Go writes it."""
    found = nanoseconds(value) if isinstance(value, str) else None
    if value == 0 and not isinstance(value, bool):
        found = 0
    if found is None:
        hint = f"write {value}s for seconds" if _is_number(value) else "such as 30s or 1m30s"
        raise Wrong(f"must be a duration, not {describe(value)}", hint)
    return duration_text(found)


def _is_number(value: Any) -> bool:
    is_digits = isinstance(value, str) and value.isascii() and value.isdigit()
    return is_digits or (isinstance(value, int) and not isinstance(value, bool) and value > 0)


def size_bytes(text: str) -> int | None:
    """Return how many bytes a size such as `256M` is (powers of 1024); None if it is none."""
    found = _SIZE.fullmatch(text) if len(text) <= 64 else None
    if found is None:
        return None
    total = int(Fraction(found[1]) * 1024 ** _POWERS[found[2].lower()])
    return total if total <= _MAX_BYTES else None


def size(value: Any, _: At) -> str:
    """A size, as text of its bytes."""
    found = None
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        found = value
    elif isinstance(value, str):
        found = size_bytes(value)
    if found is None:
        raise Wrong(f"must be a size, not {describe(value)}", "such as 512k, 256M or 1g")
    return str(found)


def size_or_unlimited(value: Any, at: At) -> str:
    """A size, or -1 for no limit."""
    return "-1" if value in (-1, "-1") else size(value, at)
