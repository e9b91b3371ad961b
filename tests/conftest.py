"""What holds for every test: a home folder of its own, and a way to report figures."""

from __future__ import annotations

import os
import signal
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from core.journal import Journal
from core.logs.writer import CompartmentLog
from core.promotion.ledger import Ledger
from tests.engine.plugin import EnginePlugin
from tests.figures import FiguresRecorder, FiguresSummary

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

XDG_FOLDERS = ("CACHE", "CONFIG", "DATA", "RUNTIME", "STATE")
_HERE = Path(__file__).parent
END_TO_END = (_HERE / "e2e", _HERE / "proof")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--proof", action="store_true", help="the proofs whole, as `make proof` runs them"
    )


def pytest_configure(config: pytest.Config) -> None:
    # Ignored in the background of a script; what the tests start would ignore them as well.
    for number, usual in (
        (signal.SIGINT, signal.default_int_handler),
        (signal.SIGQUIT, signal.SIG_DFL),
    ):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, usual)
    config.pluginmanager.register(FiguresSummary(), "figures")
    config.pluginmanager.register(EnginePlugin(os.environ), "engine")


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist looks for its groups
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--proof"):
        _leave_out(config, [each for each in items if each.get_closest_marker("whole")], items)
    for item in items:
        if any(item.path.is_relative_to(folder) for folder in END_TO_END):
            item.add_marker(pytest.mark.e2e)
        if isinstance(item, pytest.Function):
            _keep_apart(item)


def _leave_out(
    config: pytest.Config, unwanted: list[pytest.Item], items: list[pytest.Item]
) -> None:
    """Only `make proof` has the time for them."""
    config.hook.pytest_deselected(items=unwanted)
    items[:] = [each for each in items if each not in set(unwanted)]


def _keep_apart(item: pytest.Function) -> None:
    """Who measures has the machine alone; who mistreats the engine has that one alone."""
    if "figures" in item.fixturenames:
        item.add_marker(pytest.mark.alone)
    elif "engine_faults" in item.fixturenames:
        item.add_marker(pytest.mark.mistreats)
        item.add_marker(pytest.mark.xdist_group("engine"))  # one after the other


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The program's home folder, not made yet; nothing of the developer's own is seen."""
    yield from own_home(monkeypatch)


def own_home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """What `home` is, for as long as the patch lasts.

    Its path is short because that of a unix socket in it may have some 107 bytes at most.
    """
    with tempfile.TemporaryDirectory(prefix="ct-", dir="/tmp") as name:
        folder = Path(name)
        for variable in os.environ:
            if variable.startswith(("COMPARTMENT_", "DOCKER_")):
                monkeypatch.delenv(variable)
        monkeypatch.setenv("HOME", name)
        for kind in XDG_FOLDERS:
            monkeypatch.setenv(
                f"XDG_{kind}_{'DIR' if kind == 'RUNTIME' else 'HOME'}", f"{name}/{kind.lower()}"
            )
        # Whatever engine the developer has: a test is told which one it may use.
        monkeypatch.setenv("DOCKER_HOST", f"unix://{name}/no-engine.sock")
        monkeypatch.setenv("COMPARTMENT_HOME", f"{name}/home")
        yield folder / "home"


@pytest.fixture
def figures(request: pytest.FixtureRequest) -> FiguresRecorder:
    """Reports a measured figure: `figures("route switch, median", 5.2, "ms", 20)`."""
    return FiguresRecorder(request.node.user_properties)


@pytest.fixture
def counts(request: pytest.FixtureRequest) -> FiguresRecorder:
    """Reports a figure that is the same whatever else runs: `counts("lost", 0, "requests", 0)`."""
    return FiguresRecorder(request.node.user_properties)


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    """An empty one, open."""
    opened = Journal(tmp_path / "journal.db")
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
async def ledger(journal: Journal, tmp_path: Path) -> AsyncIterator[Ledger]:
    """One that knows of nothing."""
    log = CompartmentLog(tmp_path / "logs")
    found = Ledger(journal, log)
    await found.load()
    yield found
    log.close()
