"""The images of servers: what a project file relies on is as in the official ones."""

from __future__ import annotations

import io
import socket
import tarfile
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from core.engines.docker.labels import HOME
from tests.engine.client import connected

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import docker

SOON_S = 60.0
INIT = "/docker-entrypoint-initdb.d"
LISTENS_ONLY_INSIDE = """\
pg_isready --quiet || exit 3
! pg_isready --quiet --host 127.0.0.1 || exit 4
"""
PAGE = "server { listen 8080; return 200 'of ${PAGE}, $uri'; }"

pytestmark = [pytest.mark.docker("nginx", "postgres", "redis"), pytest.mark.timeout(120)]


@pytest.fixture
def client(docker_socket: str) -> Iterator[docker.APIClient]:
    with connected(docker_socket) as client:
        yield client


class Server:
    """A container of an image, started."""

    def __init__(self, client: docker.APIClient, container: str) -> None:
        self._client = client
        self._id = container

    @property
    def address(self) -> str:
        return str(self._client.inspect_container(self._id)["NetworkSettings"]["IPAddress"])

    @property
    def logs(self) -> str:
        return str(self._client.logs(self._id).decode())

    def exit_code(self) -> int:
        return int(self._client.wait(self._id, timeout=SOON_S)["StatusCode"])

    def stop(self) -> int:
        """Asks it to stop, as the image says; 137 would be a kill."""
        self._client.stop(self._id, timeout=int(SOON_S))
        return self.exit_code()

    def start(self) -> None:
        self._client.start(self._id)

    def run(self, *command: str) -> str:
        """What a command printed that runs inside; an error if it fails."""
        made = self._client.exec_create(self._id, [*command])
        output = str(self._client.exec_start(made).decode()).strip()
        assert self._client.exec_inspect(made)["ExitCode"] == 0, output
        return output

    def wait_for(self, *command: str) -> None:
        """Until a command that runs inside succeeds."""
        deadline = time.monotonic() + SOON_S
        while True:
            try:
                self.run(*command)
            except AssertionError:
                assert time.monotonic() < deadline, self.logs
            else:
                return

    def answers(self, port: int, question: str, ending: str) -> bool:
        """Whether what it says over the network to a question comes to that ending."""
        with self._connected(port) as connection:
            connection.sendall(question.encode())
            answer = ""
            while not answer.endswith(ending) and (more := connection.recv(4096)):
                answer += more.decode()
        return answer.endswith(ending)

    def _connected(self, port: int) -> socket.socket:
        deadline = time.monotonic() + SOON_S
        while True:
            try:
                return socket.create_connection((self.address, port), timeout=SOON_S)
            except ConnectionRefusedError:
                assert time.monotonic() < deadline, self.logs


@contextmanager
def started(
    client: docker.APIClient,
    image: str,
    *command: str,
    environment: Mapping[str, str] | None = None,
    files: Mapping[str, str] | None = None,
) -> Iterator[Server]:
    """A server with these settings and files, removed afterwards with its volumes."""
    container = client.create_container(
        image, [*command] or None, environment=dict(environment or {}), labels={HOME: "images"}
    )["Id"]
    try:
        client.put_archive(container, "/", _archive(files or {}))
        client.start(container)
        yield Server(client, container)
    finally:
        client.remove_container(container, force=True, v=True)


def _archive(files: Mapping[str, str]) -> bytes:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as writer:
        for path, content in files.items():
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(content.encode()), 0o755
            writer.addfile(entry, io.BytesIO(content.encode()))
    return archive.getvalue()


@pytest.mark.parametrize(
    ("image", "port", "volumes", "signal"),
    [
        ("nginx:alpine", "80/tcp", None, "SIGQUIT"),
        ("postgres:16-alpine", "5432/tcp", {"/var/lib/postgresql/data": {}}, "SIGINT"),
        ("redis:7-alpine", "6379/tcp", {"/data": {}}, None),
    ],
)
def test_the_image_says_what_the_server_needs(
    client: docker.APIClient,
    image: str,
    port: str,
    volumes: dict[str, dict[str, str]] | None,
    signal: str | None,
) -> None:
    config = client.inspect_image(image)["Config"]
    assert list(config["ExposedPorts"]) == [port]
    assert config["Volumes"] == volumes
    assert config.get("StopSignal") == signal


@pytest.mark.parametrize(
    ("environment", "complaint"),
    [
        ({}, "superuser password is not specified"),
        (
            {"POSTGRES_PASSWORD": "a", "POSTGRES_PASSWORD_FILE": "/etc/hostname"},
            "both POSTGRES_PASSWORD and POSTGRES_PASSWORD_FILE are set",
        ),
    ],
)
def test_postgres_does_not_start_without_one_password(
    client: docker.APIClient, environment: dict[str, str], complaint: str
) -> None:
    with started(client, "postgres:16-alpine", environment=environment) as server:
        assert server.exit_code() == 1
        assert complaint in server.logs


def test_postgres_sets_up_an_empty_folder_once(client: docker.APIClient) -> None:
    environment = {
        "POSTGRES_USER": "shop",
        "POSTGRES_DB": "orders",
        "POSTGRES_PASSWORD_FILE": "/run/secret",
    }
    files = {
        "run/secret": "a password",
        f"{INIT}/1-table.sql": "CREATE TABLE seen (word text);",
        f"{INIT}/2-inside.sh": f"#!/bin/sh\n{LISTENS_ONLY_INSIDE}",
        f"{INIT}/3-row.sh": "psql -U $POSTGRES_USER -d $POSTGRES_DB"
        " -c \"INSERT INTO seen VALUES ('a row')\"",
    }
    with started(client, "postgres:16-alpine", environment=environment, files=files) as server:
        server.wait_for("pg_isready", "--host", "127.0.0.1")
        # Not by 127.0.0.1, which needs no password in the official image either.
        ask = (
            f"psql -tA 'postgresql://shop:{{}}@{server.address}/orders' -c 'SELECT word FROM seen'"
        )
        assert server.run("sh", "-c", ask.format("a%20password")) == "a row"
        with pytest.raises(AssertionError, match="password authentication failed"):
            server.run("sh", "-c", ask.format("guessed"))
        assert server.run("stat", "-c", "%U", "/proc/1") == "postgres"
        assert server.stop() == 0
        server.start()
        server.wait_for("pg_isready", "--host", server.address)
        assert server.run("psql", "-tAUshop", "orders", "-c", "SELECT word FROM seen") == "a row"
        assert server.logs.count("init process complete") == 1


@pytest.mark.parametrize("command", [(), ("/own.conf",), ("--port", "6379")])
def test_redis_answers_other_machines(client: docker.APIClient, command: tuple[str, ...]) -> None:
    with started(client, "redis:7-alpine", *command, files={"own.conf": "port 6379\n"}) as server:
        assert server.answers(6379, "PING\r\n", "+PONG\r\n")
        assert server.run("redis-cli", "save") == "OK"
        assert server.run("stat", "-c", "%U", "/proc/1", "/data/dump.rdb") == "redis\nredis"
        assert server.stop() == 0


def test_nginx_runs_its_scripts_and_serves(client: docker.APIClient) -> None:
    files = {
        "docker-entrypoint.d/30-own.sh": "#!/bin/sh\necho own script\n",
        "etc/nginx/templates/page.conf.template": PAGE,
        "usr/share/nginx/html/hello.txt": "hello",
    }
    with started(client, "nginx:alpine", environment={"PAGE": "ours"}, files=files) as server:
        request = "GET {} HTTP/1.0\r\n\r\n"
        assert server.answers(8080, request.format("/a"), "of ours, /a")
        assert server.answers(80, request.format("/hello.txt"), "hello")
        assert server.run("id", "--name", "--user", "nginx") == "nginx"
        assert server.stop() == 0
        assert "own script" in server.logs
        assert '"GET /hello.txt HTTP/1.0" 200' in server.logs
