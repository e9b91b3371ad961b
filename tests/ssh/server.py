"""A server of its own for a test: a real sshd, in front of a home folder with an agent.

Nothing of the machine's own ssh is used or changed: keys, configuration and known hosts are made
for the test, and both ends are told of them by their command lines.
"""

from __future__ import annotations

import os
import shlex
import shutil
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psutil
import pytest

from tests.engine import machine
from tests.engine.place import NoEngine

if TYPE_CHECKING:
    from collections.abc import Iterator

ALIAS: Final = "server"
"""The name of the server in the ssh configuration of the client."""

_PROGRAMS: Final = {"sshd": "openssh-server", "ssh": "openssh-client"}
_STARTED_WITHIN_S: Final = 30.0


def sshd_program() -> str:
    """Where sshd is; it is installed where that is possible, else the test is skipped."""
    found = shutil.which("sshd", path=machine.SEARCH_PATH)
    if found is None and machine.is_root_on_debian():
        try:
            machine.install(lambda _: None, _PROGRAMS)
        except NoEngine as error:
            if os.environ.get("CI"):
                raise
            pytest.skip(f"no sshd: {error}")
        found = shutil.which("sshd", path=machine.SEARCH_PATH)
    if found is None:
        pytest.skip("no sshd, and only root on Debian can install one")
    return found


@dataclass
class SshServer:
    """A running sshd, and what a client needs to reach it."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes]
    compartment: str
    """What `compartment` is on the server: the lines of a shell script."""

    @property
    def programs(self) -> Path:
        """A folder for the client's PATH: its `ssh` reads the configuration made for the test."""
        return self.folder / "client"

    @property
    def known_hosts(self) -> Path:
        """The keys of servers that the client knows."""
        return self.folder / "known_hosts"

    @property
    def said(self) -> str:
        """The log of sshd."""
        return (self.folder / "sshd.log").read_text()

    def command(self, text: str) -> None:
        """Makes `compartment` something else on the server; nothing, if empty."""
        path = self.folder / "server" / "compartment"
        path.unlink(missing_ok=True)
        if text:
            _write_program(path, text)

    def connections(self) -> list[psutil.Process]:
        """The processes of sshd that serve one connection each."""
        return psutil.Process(self.process.pid).children()

    def cut(self) -> None:
        """Breaks all connections, as a lost network does in the end."""
        for each in self.connections():
            with suppress(psutil.NoSuchProcess):
                each.kill()


@contextmanager
def ssh_server(folder: Path, home: Path, *more: str) -> Iterator[SshServer]:
    """An sshd whose users find the agent of a home folder; `more` are lines of its configuration.

    The login shell is that of whoever runs the test.
    """
    program = sshd_program()
    for name in ("client", "server", "login"):
        (folder / name).mkdir(parents=True)
    for name in ("host", "user"):
        _run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name))
    shutil.copy(folder / "user.pub", folder / "authorized")
    port = _free_port()
    config = folder / "sshd_config"
    config.write_text(
        "\n".join(
            [
                *more,
                f"Port {port}",
                "ListenAddress 127.0.0.1",
                f"HostKey {folder}/host",
                f"AuthorizedKeysFile {folder}/authorized",
                "PidFile none",
                "UsePAM no",
                "StrictModes no",
                "PermitRootLogin yes",
                "PasswordAuthentication no",
                "KbdInteractiveAuthentication no",
                "PrintMotd no",
                f"SetEnv PATH={folder}/server:/usr/local/bin:/usr/bin:/bin",
            ]
        )
    )
    (folder / "ssh_config").write_text(
        f"Host {ALIAS}\n  HostName 127.0.0.1\n  Port {port}\n"
        f"Host *\n  IdentityFile {folder}/user\n  IdentitiesOnly yes\n"
        f"  UserKnownHostsFile {folder}/known_hosts\n  GlobalKnownHostsFile /dev/null\n"
    )
    ssh = shutil.which("ssh", path=machine.SEARCH_PATH)
    _write_program(folder / "client" / "ssh", f'exec {ssh} -F {folder}/ssh_config "$@"')
    public = (folder / "host.pub").read_text().split()
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{port} {public[0]} {public[1]}\n")
    Path("/run/sshd").mkdir(exist_ok=True)  # where sshd locks a part of itself in
    with (folder / "sshd.log").open("wb") as log:
        process = subprocess.Popen([program, "-D", "-e", "-f", config], stderr=log)
    try:
        server = SshServer(folder, port, process, _compartment(folder / "login", home))
        server.command(server.compartment)
        _wait_for(server)
        yield server
    finally:
        children = psutil.Process(process.pid).children(recursive=True)
        process.kill()
        process.wait()
        for each in children:
            with suppress(psutil.NoSuchProcess):
                each.kill()


def _compartment(login: Path, home: Path) -> str:
    """The program as it is installed on the server: nothing of the developer's own is seen."""
    given = {"HOME": login, "COMPARTMENT_HOME": home, "DOCKER_HOST": f"unix://{login}/no.sock"}
    words = " ".join(f"{name}={shlex.quote(str(value))}" for name, value in given.items())
    return f'exec env {words} {sys.executable} -P -m core.cli.main "$@"'


def _write_program(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def _wait_for(server: SshServer) -> None:
    deadline = time.monotonic() + _STARTED_WITHIN_S
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", server.port)) == 0:
                return
        assert server.process.poll() is None, server.said
        assert time.monotonic() < deadline, server.said
        time.sleep(0.02)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)
