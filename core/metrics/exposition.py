"""Metrics as text: Prometheus' format 0.0.4, and OpenMetrics 1.0 for who asks for that. Pure.

Written here because it is little, and read on every scrape: the client library of Prometheus takes
ten times as long for a page, and 80 ms to be loaded. The tests read the page with its parser.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

Labels = tuple[str, ...]
"""The values of a family's labels, in their order."""

TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"
OPEN_METRICS: Final = "application/openmetrics-text; version=1.0.0; charset=utf-8"

_ESCAPES: Final = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})


class Kind(StrEnum):
    """What a family of samples is."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Buckets:
    """The samples of one histogram."""

    counts: tuple[tuple[str, int], ...]
    """How many were at most so much, by `le`; the last one is `+Inf`."""
    total: float


@dataclass(frozen=True, slots=True)
class Family:
    """All samples of one name. That of a counter ends in `_total`."""

    name: str
    kind: Kind
    help: str
    """One line, without backslashes."""
    labels: tuple[str, ...] = ()
    samples: Mapping[Labels, float | Buckets] = field(default_factory=dict)


def page(families: Iterable[Family], *, is_open: bool) -> str:
    """All families as one page; `is_open`: as OpenMetrics."""
    lines = [line for family in families if family.samples for line in _family(family, is_open)]
    end = ["# EOF"] if is_open else []
    return "\n".join([*lines, *end, ""])


def _family(family: Family, is_open: bool) -> Iterator[str]:  # noqa: FBT001 - as it came
    # OpenMetrics names a counter without the end that its samples have.
    name = family.name.removesuffix("_total") if is_open else family.name
    yield f"# HELP {name} {family.help}"
    yield f"# TYPE {name} {family.kind}"
    for values, sample in family.samples.items():
        labels = ",".join(
            f'{label}="{value.translate(_ESCAPES)}"'
            for label, value in zip(family.labels, values, strict=True)
        )
        if isinstance(sample, Buckets):
            yield from _histogram(family.name, labels, sample)
        else:
            yield f"{family.name}{{{labels}}} {sample!r}" if labels else f"{family.name} {sample!r}"


def _histogram(name: str, labels: str, buckets: Buckets) -> Iterator[str]:
    for bound, count in buckets.counts:
        yield f'{name}_bucket{{{labels},le="{bound}"}} {count}'
    yield f"{name}_sum{{{labels}}} {buckets.total!r}"
    yield f"{name}_count{{{labels}}} {buckets.counts[-1][1]}"
