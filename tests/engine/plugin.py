"""The pytest plugin: an engine for the tests that need one, found or started before the first test.

Not within the first test, because its time limit is meant for the test and not for an installation.
"""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING, NoReturn

import pytest

from tests.engine import daemon, leftovers, machine
from tests.engine.client import connected
from tests.engine.found import HOW_TO_ENABLE, find
from tests.engine.place import NoEngine, locked
from tests.pausing import pause

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import psutil

    from tests.engine.found import Found

_MARK = "docker"


class EnginePlugin:
    """Registered once per session; `environ` is that of the session's start, which tests change."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = dict(environ)
        self._found: Found | None = None
        self._reason: str | None = None
        self._skipped = 0
        self._left: list[str] = []

    @pytest.fixture(scope="session")
    def docker_socket(self) -> str:
        """The path of the engine's socket."""
        if self._found is None:
            self._refuse()
        return self._found.socket

    @pytest.fixture
    def engine_faults(self, docker_socket: str) -> Iterator[Faults]:
        """What can happen to an engine; only to the private one."""
        assert self._found is not None
        if self._found.use is None:
            pytest.skip(f"{docker_socket} is not the tests' own engine, which alone is mistreated")
        faults = Faults()
        yield faults
        faults.mend()

    @pytest.hookimpl(tryfirst=True)  # before the items are selected by their marks
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            if isinstance(item, pytest.Function) and "docker_socket" in item.fixturenames:
                item.add_marker(_MARK)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        marks = [mark for item in session.items for mark in item.iter_markers(_MARK)]
        if not marks or session.config.option.collectonly:
            return
        terminal = session.config.pluginmanager.getplugin("terminalreporter")

        def say(line: str) -> None:
            if terminal is not None:
                terminal.write_line(f"docker engine: {line}")

        try:
            self._found = find(self._environ, {name for mark in marks for name in mark.args}, say)
        except NoEngine as error:
            self._reason = str(error)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        if item.get_closest_marker(_MARK) and self._found is None:
            self._skipped += 1
            self._refuse()

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self._found is None:
            return
        try:
            # While others use it as well, what is there may be theirs: the last one looks.
            if self._found.use is not None and self._found.use.is_the_only_one():
                with connected(self._found.socket) as client:
                    self._left = leftovers.found(client)
                    leftovers.remove(client)
        finally:
            self._found.end()
        if self._left and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._found is not None:
            terminalreporter.section("docker engine")
            kind = "named" if self._found.use is None else "private"
            after = f"found or made after {self._found.seconds:.1f} s"
            terminalreporter.line(f"{self._found.version}, {kind}, {after}")
        for line in self._left:
            terminalreporter.line(f"LEFT BEHIND: {line}", red=True)
        if self._skipped:
            terminalreporter.section(f"NO DOCKER ENGINE: {self._skipped} TESTS NOT RUN", red=True)
            terminalreporter.line(f"{self._reason}.", red=True)
            terminalreporter.line(HOW_TO_ENABLE)

    def _refuse(self) -> NoReturn:
        reason = f"no Docker Engine: {self._reason}"
        if self._environ.get("CI") == "true" and machine.is_root_on_debian():
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)


class Faults:
    """Mistreats the private engine; whatever a test does, the next one finds it running."""

    def __init__(self) -> None:
        self._process = _running()
        self._command = self._process.cmdline()

    async def restart(self) -> None:
        """As a package update does it: asked to end, then started again. It answers again."""
        await asyncio.to_thread(self._again, signal.SIGTERM)

    async def kill(self) -> None:
        """As the lack of memory does it; then started again. It answers again."""
        await asyncio.to_thread(self._again, signal.SIGKILL)

    def pause(self) -> None:
        """From now on it takes connections and says nothing."""
        pause(self._process.pid)

    def resume(self) -> None:
        """It goes on where it was."""
        self._process.send_signal(signal.SIGCONT)

    def mend(self) -> None:
        """Waits for the end of what a cancelled test began, then makes sure that it runs."""
        with locked():
            if daemon.process() is None:
                daemon.launch(self._command)
            _running().send_signal(signal.SIGCONT)

    def _again(self, number: signal.Signals) -> None:
        with locked():
            daemon.end(self._process, number)
            daemon.launch(self._command)
            self._process = _running()


def _running() -> psutil.Process:
    found = daemon.process()
    assert found is not None
    return found
