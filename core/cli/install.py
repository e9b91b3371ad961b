"""`agent install`: systemd starts the agent, so that what is live outlives reboots and logouts."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any

from core.agent import systemd
from core.agent.unit import Kind, installed, is_as_written, unit_of
from core.cli.exits import Exit
from core.errors import CompartmentError, Conflict, UsageError
from core.files import Home, make_folder, write_atomically

if TYPE_CHECKING:
    from argparse import Namespace

    from core.agent.unit import Unit
    from core.cli.output import Output

_MODE = 0o644
_FOLDER_MODE = 0o755


def install(arguments: Namespace, output: Output) -> int:
    """Writes the unit of this home, and has systemd start the agent with it; or removes it."""
    home, kind = Home.locate(), _kind(arguments)
    if arguments.is_printed:
        unit = unit_of(home, kind)
        text = unit.text(os.environ, _owner(unit))
        output.answer({**_named(unit), "text": text}, text.splitlines)
        return Exit.DONE
    _check_machine()
    before = installed(home)
    if arguments.remove:
        return _remove(before, output)
    unit = before if before and before.kind is kind else unit_of(home, kind)
    if before and before != unit:
        raise Conflict(
            f"the agent of {home.root} is started by {before.path} already",
            hint=f"remove that first: {_remove_words(before)}",
        )
    _check_root(unit, "writes")
    if _owner(unit) is None:
        # Another one's is made, or made private, by the agent itself, as its owner.
        home.create()
    is_new = _write(unit)
    _start(unit, output, is_new=is_new)
    return Exit.DONE


def _kind(arguments: Namespace) -> Kind:
    if arguments.system and arguments.user:
        raise UsageError("--system and --user are two kinds of unit", hint="name one of them")
    if arguments.system or arguments.user:
        return Kind.SYSTEM if arguments.system else Kind.USER
    return Kind.SYSTEM if os.geteuid() == 0 else Kind.USER


def _check_machine() -> None:
    if shutil.which("systemctl") is None:
        raise CompartmentError(
            "there is no systemd on this machine",
            hint="have what starts programs here run: compartment agent run",
        )


def _check_root(unit: Unit, does: str) -> None:
    if unit.kind is Kind.SYSTEM and os.geteuid() != 0:
        # Root has another home; that of the agent has to be named.
        there = f"COMPARTMENT_HOME={unit.home.root}"
        raise CompartmentError(
            f"only root {does} {unit.path}",
            hint=f"sudo {there} compartment agent install --system, or use --user",
        )


def _owner(unit: Unit) -> str | None:
    """Whom the agent of a system unit runs as, if not root: whoever has the home folder."""
    if unit.kind is Kind.USER or not unit.home.root.exists():
        return None
    uid = unit.home.root.stat().st_uid
    return systemd.user_name(uid) if uid else None


def _write(unit: Unit) -> bool:
    """Writes the file where it is not the same already; returns whether it did.

    Raises:
        Conflict: somebody has changed it.
    """
    text = unit.text(os.environ, _owner(unit))
    if unit.path.exists():
        there = unit.path.read_text(errors="replace")
        if there == text:
            return False
        if not is_as_written(there):
            flag = "--user " if unit.kind is Kind.USER else ""
            raise Conflict(
                f"{unit.path} was changed by hand, and is left as it is",
                hint=f"keep the changes with `systemctl {flag}edit {unit.name}`,"
                " remove the file, then try again",
            )
    make_folder(unit.path.parent, mode=_FOLDER_MODE)
    write_atomically(unit.path, text.encode(), mode=_MODE)
    return True


def _start(unit: Unit, output: Output, *, is_new: bool) -> None:
    """Has systemd know, start and keep it; says what to run where it could not."""
    failed = _called(unit, [["daemon-reload"], ["enable", "--now", unit.name]])
    left = [_words(unit, "daemon-reload"), _words(unit, "enable", "--now", unit.name)]
    next_words = left if failed else []
    lines = [f"{'wrote' if is_new else 'found as it should be:'} {unit.path}"]
    if failed:
        lines += [f"not started: {failed}", "then run:", *(f"  {each}" for each in left)]
    else:
        lines += ["enabled and started", f"a change of it is in force after: {_restart(unit)}"]
    lingers = unit.kind is Kind.SYSTEM or _linger()
    if not lingers:
        word = f"sudo loginctl enable-linger {systemd.user_name()}"
        next_words.append(word)
        lines += ["it ends with your last login until this was run:", f"  {word}"]
    document = {
        **_named(unit),
        "isStarted": failed is None,
        "outlivesLogout": lingers,
        "next": next_words,
    }
    output.answer(document, lambda: lines)


def _restart(unit: Unit) -> str:
    return _words(unit, "restart", unit.name)


def _linger() -> bool:
    """Has the user's systemd run from boot on; whether it does now."""
    if not systemd.lingers():
        systemd.call(Kind.SYSTEM, "enable-linger", program="loginctl")
    return systemd.lingers()


def _remove(unit: Unit | None, output: Output) -> int:
    if unit is None:
        output.answer({"unit": None}, lambda: ["no unit starts this agent"])
        return Exit.DONE
    _check_root(unit, "removes")
    # Stopped while its file is there: without that, systemd would end all processes of the unit.
    failed = _called(unit, [["disable", "--now", unit.name]])
    unit.path.unlink()
    _called(unit, [["daemon-reload"]])
    lines = [f"removed {unit.path}; nothing starts the agent after a reboot"]
    if failed:
        lines.append(f"systemd was not told: {failed}")
    else:
        lines.append("the agent has stopped; what is live goes on, the next command starts another")
    output.answer(_named(unit), lambda: lines)
    return Exit.DONE


def _called(unit: Unit, calls: list[list[str]]) -> str | None:
    """Why one of these calls failed; those after it are not made then."""
    if not systemd.runs(unit.kind):
        return "systemd does not run here"
    failures = (systemd.call(unit.kind, *words) for words in calls)
    return next((each for each in failures if each), None)


def _words(unit: Unit, *words: str) -> str:
    return " ".join(["systemctl", *(["--user"] if unit.kind is Kind.USER else []), *words])


def _remove_words(unit: Unit) -> str:
    return f"compartment agent install --{unit.kind} --remove"


def _named(unit: Unit) -> dict[str, Any]:
    return {"unit": unit.name, "kind": unit.kind, "path": str(unit.path)}
