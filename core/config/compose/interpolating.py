"""Variables in the values of one Compose file, replaced before anything else is done with it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from core.config.compose.markers import Override
from core.config.interpolation import BrokenTemplate, interpolate

if TYPE_CHECKING:
    from core.config.document import Document, KeyPath
    from core.config.interpolation import Lookup
    from core.model import Problem

MAX_LENGTH = 16 * 1024 * 1024
"""What all values of a file may grow to, in characters: each may name the same long variable."""

_SECRET_KEY = re.compile(r"passw|secret|token|hash|auth|_key", re.IGNORECASE)
_CRYPT = re.compile(r"\$(2[abxy]|1|5|6|apr1|y|argon2\w*)\$")


def interpolated(document: Document, lookup: Lookup) -> tuple[Document, dict[str, Problem]]:
    """Return a file with its variables replaced, and the note of each that is not set, by name.

    Keys are left as they are. A value that is no template is a problem, and stays as it is.
    """
    interpolation = _Interpolation(document, lookup)
    data = interpolation.value(document.data, ())
    problems = (*document.problems, *interpolation.problems)
    return replace(document, data=data, problems=problems), interpolation.unset


class _Interpolation:
    """Walks over the data of a file."""

    def __init__(self, document: Document, lookup: Lookup) -> None:
        self.problems: list[Problem] = []
        self.unset: dict[str, Problem] = {}
        self._document = document
        self._lookup = lookup
        self._room = MAX_LENGTH

    def value(self, value: Any, path: KeyPath) -> Any:
        if isinstance(value, str):
            return self._text(value, path) if "$" in value else value
        if isinstance(value, dict):
            return {key: self.value(child, (*path, key)) for key, child in value.items()}
        if isinstance(value, list):
            return [self.value(child, (*path, index)) for index, child in enumerate(value)]
        if isinstance(value, Override):
            return Override(self.value(value.value, path))
        return value

    def _text(self, text: str, path: KeyPath) -> str:
        try:
            found = interpolate(text, self._lookup)
        except BrokenTemplate as error:
            hint = "write $$ for a dollar sign"
            if error.required:
                hint = f"set {error.required} in this shell or in .env"
            self.problems.append(self._document.problem(path, error.message, hint=hint))
            return text
        self._room -= len(found.text)
        if self._room < 0:
            if self._room + len(found.text) >= 0:
                message = f"with its variables the file is longer than {MAX_LENGTH} characters"
                self.problems.append(self._document.problem(path, message))
            return text
        new = {unset.name for unset in found.unset} - self.unset.keys()
        is_secret = bool(new) and _looks_secret(text, path)
        self.unset |= {name: self._unset(name, path, is_secret=is_secret) for name in sorted(new)}
        return found.text

    def _unset(self, name: str, path: KeyPath, *, is_secret: bool) -> Problem:
        message = f"the variable {name} is not set: it is replaced by nothing"
        hint = f"set it in this shell or in .env, or write ${{{name}:-}}"
        if is_secret:
            hint = "if the dollar sign is part of the value, write $$"
        return self._document.problem(path, message, hint=hint)


def _looks_secret(text: str, path: KeyPath) -> bool:
    """Whether a value seems to be a password or a hash, where a dollar sign means itself."""
    name, _, value = text.rpartition("=")
    if not name:
        name = ".".join(map(str, path[-1:]))
    is_a_variable = "${" in text or value.startswith("$")
    is_named_so = not is_a_variable and _SECRET_KEY.search(name) is not None
    return is_named_so or _CRYPT.search(text) is not None
