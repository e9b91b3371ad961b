"""How serious a line is, from the words that programs begin their lines with. Pure."""

from __future__ import annotations

import re
from enum import IntEnum
from typing import NamedTuple

_NEAR = 96
"""How far into a line its level stands, in characters; further on it is part of a sentence."""

_NEAR_IN_JSON = 1024


class Level(IntEnum):
    """From talkative to serious; a line without a level counts as `INFO`."""

    DEBUG = 0
    INFO = 1
    WARN = 2
    ERROR = 3


class Found(NamedTuple):
    """A level, and where its word stands."""

    level: Level
    start: int
    end: int


_D, _I, _W, _E = Level.DEBUG, Level.INFO, Level.WARN, Level.ERROR
_WORDS = {
    **dict.fromkeys(("trace", "debug", "verbose", "10", "20"), _D),
    **dict.fromkeys(("info", "notice", "information", "30"), _I),
    **dict.fromkeys(("warn", "warning", "40"), _W),
    **dict.fromkeys(("err", "error", "fatal", "critical", "crit", "panic", "severe", "alert"), _E),
    **dict.fromkeys(("emerg", "exception", "traceback", "50", "60"), _E),
}

# Every alternative begins with a literal character and looks behind itself afterwards: that lets
# the engine skip to the few places where one of these characters stands.
_WORD = re.compile(
    r"E(?<!\wE)RR(?:OR)?(?!\w)|W(?<!\wW)ARN(?:ING)?(?!\w)|I(?<!\wI)NFO(?!\w)|D(?<!\wD)EBUG(?!\w)"
    r"|F(?<!\wF)ATAL(?!\w)|C(?<!\wC)RITICAL(?!\w)|N(?<!\wN)OTICE(?!\w)|T(?<!\wT)RACE(?!\w)"
    r"|P(?<!\wP)ANIC(?!\w)|S(?<!\wS)EVERE(?!\w)"
    r"|\[(?:error|warn|warning|info|debug|notice|crit|alert|emerg|fatal|trace)\]"
    r"|l(?<!\wl)(?:evel|vl)=\"?(\w+)|s(?<!\ws)everity=\"?(\w+)"
)
_BEGINNING = re.compile(
    r"(?:[\w.$]{0,80}?(Error|Exception)|(error|fatal|panic|warning|warn|info|debug)): ?"
    r"|(Traceback) \(most recent call last\):",
    re.ASCII,
)
_BEGINS_WITH_WORD = re.compile(r"(?:Warning|Fatal|Info|Debug): ?", re.ASCII)
_JSON = re.compile(r'"(?:level|severity|lvl|log\.level|levelname)"\s*:\s*"?(\w+)', re.ASCII)


def find_level(text: str) -> Found | None:
    """The level that a line states, and where; None when it states none."""
    if text[:1] == "{":
        match = _JSON.search(text, 0, _NEAR_IN_JSON)
        if match is not None:
            return _found(match, 1)
    match = _BEGINNING.match(text) or _BEGINS_WITH_WORD.match(text)
    if match is not None:
        start, end = match.span()
        return Found(_level_of_beginning(match), start, start + len(text[start:end].rstrip(": ")))
    match = _WORD.search(text, 0, _NEAR)
    return _found(match, match.lastindex or 0) if match is not None else None


def is_traceback(text: str) -> bool:
    """Whether the lines of a Python traceback follow."""
    return text.startswith("Traceback (most recent call last):")


def _level_of_beginning(match: re.Match[str]) -> Level:
    word = match[match.lastindex] if match.lastindex else match[0]
    return _WORDS[word.rstrip(": ").lower()]


def _found(match: re.Match[str], group: int) -> Found | None:
    level = _WORDS.get(match[group].strip("[]").lower())
    return Found(level, *match.span(group)) if level is not None else None
