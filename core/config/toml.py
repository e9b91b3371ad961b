"""TOML with the position of every key: of files that are one table without tables inside."""

from __future__ import annotations

import re
import tomllib

from core.config.document import Document, KeyPath, Position
from core.config.text import UnreadableText, decode
from core.model import Problem

_SYNTAX = re.compile(r"^(.*) \(at (?:line (\d+), column (\d+)|end of document)\)$", re.DOTALL)
_KEY = re.compile(
    r"[ \t]*(?:\[+[ \t]*)?(?:\"([^\"]*)\"|'([^']*)'|([A-Za-z0-9_-]+))[ \t]*(=[ \t]*)?"
)


def read_toml(content: bytes, file: str) -> Document:
    """Return what a file holds and everything that is wrong with it as TOML; never raises.

    Args:
        content: The bytes of the file.
        file: Its name in problems.
    """
    try:
        text = decode(content)
        data = tomllib.loads(text)
    except UnreadableText as error:
        return Document(file, problems=(Problem(file, *error.position, error.message, error.hint),))
    except tomllib.TOMLDecodeError as error:
        return Document(file, problems=(_syntax_error(str(error), file, text),))
    except RecursionError:
        return Document(file, problems=(Problem(file, 1, 1, "nested too deeply"),))
    keys, values = _positions(text)
    return Document(file, data, keys, values)


def _syntax_error(message: str, file: str, text: str) -> Problem:
    found = _SYNTAX.match(message)
    reason = found[1] if found else message
    lines = text.split("\n")
    position = Position(len(lines), len(lines[-1]) + 1)
    if found and found[2]:
        position = Position(int(found[2]), int(found[3]))
    return Problem(file, *position, f"not valid TOML: {reason[:1].lower()}{reason[1:]}")


def _positions(text: str) -> tuple[dict[KeyPath, Position], dict[KeyPath, Position]]:
    """Where keys and values are; of a key inside a text over several lines the first place."""
    keys: dict[KeyPath, Position] = {}
    values: dict[KeyPath, Position] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        found = _KEY.match(line)
        if found is None or not found.lastindex:
            continue
        group = next(each for each in (1, 2, 3) if found[each] is not None)
        path = (found[group],)
        keys.setdefault(path, Position(number, found.start(group) + 1))
        if found[4]:
            values.setdefault(path, Position(number, found.end() + 1))
    return keys, values
