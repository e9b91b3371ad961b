"""Whatever value a key has, it is read or told about."""

from __future__ import annotations

from typing import Any

import pytest

from core.config.compose.keys.canonical import canonical
from core.config.compose.keys.catalogue import SECTIONS
from core.config.compose.keys.completion import complete
from core.config.compose.markers import Override, Reset
from core.config.document import Document
from tests.config.compose.keys import FILE, FOLDER, OneFile

VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 7, 10**30, 1.5, float("inf"), float("nan"), "", "a", "a:b", "5", "-",
    "service:", "service:a", ":", "/", "=", "\0", "9" * 500, [], [None], [[]], [{}], ["", "a", "a"],
    [5, True, 1.5], {}, {"": ""}, {"a": None}, {"a": []}, {"a": {}}, {"a": "a"}, {"x-a": 1},
    Reset(), Override(None), Override([]), Override({"a": {}}),
)  # fmt: skip


NEEDED = {"type": "bind", "source": "a", "target": "/a", "path": "a", "service": "a"}
"""Values for keys that others need beside them."""


def document_with(path: str, said: dict[str, Any]) -> Document:
    """A file that says something at the path of a section of the catalogue."""
    data: Any = said
    for part in reversed(path.split(".") if path else []):
        name = "a" if part == "*" else part.removesuffix("[]")
        data = {name: [data] if part.endswith("[]") else data}
    return Document(FILE, data)


@pytest.mark.parametrize(("path", "keyed"), [pytest.param(p, k, id=t) for t, p, k in SECTIONS])
def test_any_value(path: str, keyed: Any) -> None:
    for key in keyed.table:
        for value in VALUES:
            needed = {each: NEEDED.get(each, 1) for each in keyed.required}
            if "ports" in path:
                needed = {"target": 80}
            document = document_with(path, {**needed, key: value})
            found = canonical(document, FOLDER)
            assert all(each.message for each in (*found.problems, *found.notes))
            if not isinstance(value, Reset | Override):
                complete(found.data, OneFile(document, found), FOLDER, lambda _: None)


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_any_file(value: Any) -> None:
    found = canonical(Document(FILE, value), FOLDER)
    assert isinstance(found.data, dict)
