"""The command that runs a service whose file names none, and how a shell is asked to run it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.errors import ConfigError
from core.model import ServiceKind

if TYPE_CHECKING:
    from pathlib import Path

_PYTHON_FILES = ("main.py", "app.py", "server.py")
_STATIC_COMMAND = 'python3 -m http.server "$PORT" --bind {host}'
_HINT = "set run.command"

# What may stand in a word: plain and quoted characters, variables, redirections. An operator, or a
# substitution outside of quotes, may not. No quantifier gives back: odd input must not take long.
_WORD = r"""(?:
        [^\s'"\\;&|<>()`$\#]
        | (?<=\S) \#
        | ' [^']*+ '
        | " (?: [^"\\] | \\. )*+ "
        | \\ [^\n]
        | \$ (?: \w++ | \{ [^{}]*+ \} | [?$!@*\#-] )
        | [<>]{1,2}+ (?: & [0-9-] )?+
    )"""
_SIMPLE_COMMAND = re.compile(
    rf"""
    (?P<assignments> (?: [a-zA-Z_]\w*+ = {_WORD}*+ [ \t]++ )*+ )
    (?P<program> (?: (?! [=<>] ) {_WORD} )++ )
    (?: [ \t]++ {_WORD}*+ )*+
    """,
    re.VERBOSE | re.DOTALL,
)
# What only means something to the shell itself.
_SHELL_WORDS = re.compile(
    r"[.:!{}]|alias|bg|break|case|cd|command|continue|do|done|elif|else|esac|eval|exec|exit|export|fg"
    r"|fi|for|function|getopts|hash|if|in|jobs|local|read|readonly|return|set|shift|source|then|time"
    r"|times|trap|type|ulimit|umask|unalias|unset|until|wait|while"
)


class NothingToRun(ConfigError):
    """Nothing in the folder says how the service is run."""


@dataclass(frozen=True, slots=True)
class Detected:
    """A command for `/bin/sh`, and the reason that it was chosen."""

    command: str
    because: str


def detect_command(
    folder: Path, service_name: str, kind: ServiceKind, host: str = "127.0.0.1"
) -> Detected:
    """Finds out how the service in the folder is run; `host` is where static files are served.

    Raises:
        NothingToRun: Nothing in the folder says so.
        ConfigError: More than one file could be the one, or the file that says so is broken.
    """
    detected = (
        _from_procfile(folder / "Procfile", service_name, kind)
        or _from_package(folder / "package.json")
        or _from_python(folder)
    )
    if detected is None and kind.is_routable and (folder / "index.html").is_file():
        detected = Detected(_STATIC_COMMAND.format(host=host), "index.html: served as static files")
    if detected is None:
        looked_for = f"Procfile, package.json with scripts.start, {', '.join(_PYTHON_FILES)}"
        raise NothingToRun(
            f"nothing says how to run the service {service_name}: looked for {looked_for}"
            + (", index.html" if kind.is_routable else ""),
            hint=_HINT,
        )
    return detected


def shell_argv(command: str) -> list[str]:
    """How to start the command through `/bin/sh`.

    A simple command takes the shell's place, so that the process that is started is the service
    itself and signals reach it. Anything else is handed over as it stands.
    """
    command = command.strip()
    match = _SIMPLE_COMMAND.fullmatch(command)
    if match is not None and not _SHELL_WORDS.fullmatch(match["program"]):
        command = f"{match['assignments']}exec {command[match.start('program') :]}"
    return ["/bin/sh", "-c", command]


def _from_procfile(path: Path, service_name: str, kind: ServiceKind) -> Detected | None:
    if not path.is_file():
        return None
    lines = re.findall(r"^([\w.-]+):[ \t]*(\S.*?)[ \t\r]*$", _text(path), re.MULTILINE)
    commands = dict(reversed(lines))
    usual = "web" if kind.is_routable else "worker" if kind is ServiceKind.WORKER else None
    for name in (service_name, usual):
        if name in commands:
            return Detected(commands[name], f"Procfile: {name}")
    return None


def _from_package(path: Path) -> Detected | None:
    if not path.is_file():
        return None
    try:
        package = json.loads(_text(path))
    except json.JSONDecodeError as error:
        raise ConfigError(
            f"package.json is not JSON: line {error.lineno}, column {error.colno}: {error.msg}",
            hint=f"mend it, or {_HINT}",
        ) from error
    scripts = package.get("scripts") if isinstance(package, dict) else None
    start = scripts.get("start") if isinstance(scripts, dict) else None
    if isinstance(start, str) and start.strip():
        return Detected("npm start", "package.json: scripts.start")
    return None


def _from_python(folder: Path) -> Detected | None:
    present = [name for name in _PYTHON_FILES if (folder / name).is_file()]
    if len(present) > 1:
        raise ConfigError(
            f"more than one file could be the one to run: {', '.join(present)}", hint=_HINT
        )
    return Detected(f"python3 {present[0]}", present[0]) if present else None


def _text(path: Path) -> str:
    return path.read_text("utf-8-sig", errors="replace")
