"""A Dockerfile's instructions, as far as one has to know them before it is built."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_ESCAPE = re.compile(r"#[ \t]*escape[ \t]*=[ \t]*([\\`])", re.IGNORECASE)
_DIRECTIVE = re.compile(r"#[ \t]*\w+[ \t]*=")
_FROM = re.compile(r"(?:--\S+\s+)*(?P<image>\S+)(?:\s+AS\s+(?P<stage>\S+))?\s*", re.IGNORECASE)
_COPIED_FROM = re.compile(r"(?:--\S+\s+)*?--from=(?P<image>\S+)\s", re.IGNORECASE)
_WITH_HEREDOC = ("RUN", "COPY", "ADD")
_HEREDOC = re.compile(r"(?:^|\s)\d*<<-?(?P<quote>[\"']?)(?P<end>\w+)(?P=quote)(?=\s|$)")
_VARIABLE = re.compile(
    r"\$(?:(?P<plain>\w+)|\{(?P<name>\w+)(?:(?P<operator>:?[-+])(?P<word>[^{}]*))?\})"
)


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction; `line` and `last_line` count from 1."""

    name: str
    rest: str
    line: int
    last_line: int


@dataclass(frozen=True, slots=True)
class Base:
    """An image that a Dockerfile takes something from, and the line that says so."""

    image: str
    line: int


def instructions(text: str) -> Iterator[Instruction]:
    """The instructions in order, continued lines joined, without comments."""
    lines = text.removeprefix("\ufeff").splitlines()
    escape = _escape(lines)
    number = 0
    while number < len(lines):
        first, parts, is_open = number, list[str](), True
        while is_open and number < len(lines):
            line = lines[number].strip()
            number += 1
            if line and not line.startswith("#"):
                is_open = line.endswith(escape)
                parts.append(line.removesuffix(escape))
            elif not parts:
                first = number
        name, _, rest = " ".join(" ".join(parts).split()).partition(" ")
        for heredoc in _HEREDOC.finditer(rest) if name.upper() in _WITH_HEREDOC else ():
            while number < len(lines) and lines[number].strip() != heredoc["end"]:
                number += 1
            number += 1
        if name:
            yield Instruction(name.upper(), rest, first + 1, min(number, len(lines)))


def bases(text: str, arguments: Mapping[str, str]) -> list[Base]:
    """The images that are neither stages of the Dockerfile itself nor `scratch`."""
    known = dict[str, str]()
    stages, named = {"scratch"}, list[Base]()
    for each in instructions(text):
        if each.name == "ARG" and not named:
            name, _, default = each.rest.partition("=")
            known[name] = arguments.get(name, default.strip("\"'"))
        elif each.name == "FROM" and (match := _FROM.fullmatch(each.rest)):
            image = _filled_in(match["image"], known)
            named.append(Base("scratch" if image.lower() in stages else image, each.line))
            stages.add((match["stage"] or "").lower())
        elif each.name == "COPY" and (match := _COPIED_FROM.match(each.rest)):
            named.append(Base(match["image"], each.line))
    return [
        base
        for base in named
        if base.image.lower() not in stages and not base.image.isdecimal() and "$" not in base.image
    ]


def until_stage(text: str, stage: str) -> str | None:
    """The Dockerfile as far as a stage, named or numbered, goes; None where it has no such."""
    begins = [each for each in instructions(text) if each.name == "FROM"]
    for number, begin in enumerate(begins):
        match = _FROM.fullmatch(begin.rest)
        name = (match["stage"] or "") if match else ""
        if stage and stage.lower() in (name.lower(), str(number)):
            last = begins[number + 1].line - 1 if number + 1 < len(begins) else None
            return "\n".join(text.splitlines()[:last]) + "\n"
    return None


def first_port(text: str) -> int | None:
    """The first port that the image itself exposes; None where that is not said in figures."""
    port = None
    for each in instructions(text):
        if each.name == "FROM":
            port = None
        elif each.name == "EXPOSE" and port is None:
            match = re.match(r"(\d+)(?:/tcp)?(?:\s|$)", each.rest, re.IGNORECASE)
            port = int(match[1]) if match else None
    return port


def with_labels(
    text: str, stage: Mapping[str, str], image: Mapping[str, str]
) -> tuple[str, list[int]]:
    """The Dockerfile with labels at the beginning of every stage, and others at the end.

    Also returns the numbers of the lines that were added.
    """
    lines = text.removeprefix("\ufeff").splitlines()
    escape = _escape(lines)
    added = list[int]()
    for each in instructions(text):
        if each.name == "FROM":
            at = each.last_line + len(added)
            lines.insert(at, _label(stage, escape))
            added.append(at + 1)
    return "\n".join([*lines, _label(image, escape)]) + "\n", added


def _label(pairs: Mapping[str, str], escape: str) -> str:
    special = re.compile(rf"[\"$]|{re.escape(escape)}")
    quoted = (
        f'{name}="{special.sub(lambda found: escape + found[0], value)}"'
        for name, value in pairs.items()
    )
    return f"LABEL {' '.join(quoted)}"


def _escape(lines: list[str]) -> str:
    for line in lines:
        if match := _ESCAPE.match(line.strip()):
            return match[1]
        if not _DIRECTIVE.match(line.strip()):
            break
    return "\\"


def _filled_in(text: str, known: Mapping[str, str]) -> str:
    """The text with the arguments that are known before the first stage."""

    def value(match: re.Match[str]) -> str:
        given = known.get(match["plain"] or match["name"], "")
        if (match["operator"] or "").endswith("-"):
            return given or match["word"]
        if (match["operator"] or "").endswith("+"):
            return match["word"] if given else ""
        return given

    return _VARIABLE.sub(value, text)
