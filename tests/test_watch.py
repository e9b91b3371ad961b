from __future__ import annotations

from typing import Any

from core.watch import difference


def test_at_first_everything_is_different() -> None:
    now: dict[str, Any] = {"run": None, "services": {}}
    assert difference({}, now) == now


def test_only_what_differs_is_told() -> None:
    before = {"run": {"id": 1}, "queue": [], "services": {"a": {"x": 1}, "b": {"x": 1}}}
    now = {"run": {"id": 1}, "queue": [2], "services": {"a": {"x": 1}, "b": {"x": 2}, "c": {}}}
    assert difference(before, now) == {"queue": [2], "services": {"b": {"x": 2}, "c": {}}}
    assert difference(now, now) == {}


def test_what_turned_to_nothing_is_told() -> None:
    assert difference({"run": {"id": 1}, "services": {}}, {"run": None, "services": {}}) == {
        "run": None
    }


def test_what_is_gone_is_named() -> None:
    before: dict[str, Any] = {"services": {"b": {}, "a": {}, "c": {}}}
    assert difference(before, {"services": {"c": {}}}) == {"services": {}, "gone": ["a", "b"]}
