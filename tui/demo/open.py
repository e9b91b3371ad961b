"""`compartment-tui --demo`: from nothing to a project that is live, and back to nothing."""

from __future__ import annotations

import asyncio
import os
import signal
from argparse import Namespace
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Final, NoReturn

from core.agent.client import Client
from core.errors import NotFound, UsageError
from core.gateway.table import Ports
from core.model import DEFAULT_ENVIRONMENT
from tui.demo import headless
from tui.demo.example import example
from tui.demo.folder import DemoFolder
from tui.demo.guard import Guard, guarded
from tui.demo.headless import FIRST_DEPLOY, SIGNALLED, command, say
from tui.demo.traffic import Traffic
from tui.terminal import check_terminal, forget_fixed_size

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tui.demo.example import Example

_STOP: Final = "stop"
_PER_S: Final = 20
_CAUGHT: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def open_demo(arguments: Namespace) -> int:
    """Opens the demo that `--demo` names, or stops it; returns the exit code."""
    folder = DemoFolder.locate()
    if arguments.demo == _STOP:
        return _stop(folder)
    chosen = example(arguments.demo)
    has_screen = _has_screen()
    # Without a screen there is nobody to ask: what was open before goes on, whatever happens.
    is_kept = folder.is_there and not has_screen
    with _ended_by_signals(), nullcontext(Guard()) if is_kept else guarded() as guard:
        try:
            folder.claim()
            project = chosen.copy_to(folder.home.root)
            if has_screen:
                code = _on_screen(arguments, folder, chosen, project)
                is_kept = code < SIGNALLED and folder.is_there and not _is_to_be_stopped()
            else:
                say("# no terminal here, so these are the commands instead of the dashboard")
                code = headless.show(chosen, project, _begin(folder, chosen, project))
        finally:
            if not is_kept:
                _on_signals(_ignore)
                asyncio.run(folder.stop())
            guard.is_settled = True
    if is_kept:
        say(f"The demo goes on, without visitors; to stop it: {_stop_command()}")
    return code


def _stop(folder: DemoFolder) -> int:
    if folder.is_there:
        asyncio.run(folder.stop())
        say("The demo is stopped, and nothing of it is left.")
    else:
        say("No demo is open.")
    return 0


def _stop_command() -> str:
    return "make demo-stop" if "MAKELEVEL" in os.environ else "compartment-tui --demo stop"


def _has_screen() -> bool:
    try:
        check_terminal()
    except UsageError:
        return False
    return True


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Makes signals end the block like an error, so that the demo is stopped all the same."""
    before = {each: signal.getsignal(each) for each in _CAUGHT}

    def end(number: int, _: object) -> NoReturn:
        # A closed window sends its signal more than once, and people press ctrl-c again: what the
        # first one has begun is not to be interrupted.
        _on_signals(_ignore)
        raise SystemExit(SIGNALLED + number)

    _on_signals(end)
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _ignore(_: int, __: object) -> None:
    """Unlike SIG_IGN, this is not handed down to what is started meanwhile."""


def _on_signals(handler: Callable[[int, object], None]) -> None:
    for each in _CAUGHT:
        if signal.getsignal(each) is not signal.SIG_IGN:
            signal.signal(each, handler)


def _begin(folder: DemoFolder, chosen: Example, project: Path) -> str:
    """Deploys the example where it is not live yet; returns the gateway's address."""
    if not asyncio.run(_is_live(folder, chosen)):
        command(project, *FIRST_DEPLOY)
    return asyncio.run(_address(folder))


async def _is_live(folder: DemoFolder, chosen: Example) -> bool:
    async with Client.connected(folder.home, ports=Ports(0, 0)) as client:
        target = {"project": chosen.name, "environment": DEFAULT_ENVIRONMENT}
        try:
            return bool((await client.status(target))["activeDeployments"])
        except NotFound:
            return False


async def _address(folder: DemoFolder) -> str:
    async with Client.connected(folder.home) as client:
        return str((await client.agent())["publicAddress"])


def _on_screen(arguments: Namespace, folder: DemoFolder, chosen: Example, project: Path) -> int:
    from core.config.project import load_project
    from tui.dashboard import Dashboard
    from tui.demo.verbs import DemoVerbs

    say(f"A copy of {chosen.name} is in {project}; change it as you like.")
    ours = {"path": project, "project": None, "env": DEFAULT_ENVIRONMENT}
    forget_fixed_size()
    with Traffic(chosen, _begin(folder, chosen, project), _PER_S) as traffic:
        dashboard = Dashboard(
            Namespace(**{**vars(arguments), **ours}),
            load_project(project),
            verbs=DemoVerbs,
            kind="demo: press D",
        )
        code = asyncio.run(dashboard.run())
    if code < SIGNALLED:
        say(str(traffic.counts))
    return code


def _is_to_be_stopped() -> bool:
    try:
        answer = input("Stop the demo? [Y/n] ")
    except EOFError:
        return True
    return not answer.strip().lower().startswith("n")
