"""Finding the engine: against small servers that fail in every way, and against a real one."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from core.engines.docker import endpoint, greeting, places
from core.engines.docker.endpoint import Endpoint, Mode, find, known
from core.errors import EngineUnavailable
from tests.engines.docker.fake_engine import (
    ELSEWHERE,
    HERE,
    engine,
    hang,
    http,
    listening,
    trickle,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[3]
IS_ROOT = os.geteuid() == 0
HERE_MODE = Mode.HOLDERS if IS_ROOT and sys.platform == "linux" else Mode.DIRECT


@pytest.fixture
def folder(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for sockets, with a short path; the machine's own engine is not seen."""
    root = home.parent
    monkeypatch.setattr(places, "SYSTEM_SOCKET", str(root / "system.sock"))
    monkeypatch.setattr(places, "SYSTEM_PODMAN", str(root / "podman.sock"))
    monkeypatch.setattr(endpoint, "_CONTAINER_MARKS", ())
    return root


@pytest.fixture
def environ(folder: Path) -> dict[str, str]:
    """Nothing chosen."""
    return {"HOME": str(folder), "XDG_RUNTIME_DIR": str(folder / "runtime")}


def failure(environ: dict[str, str]) -> EngineUnavailable:
    with pytest.raises(EngineUnavailable) as caught:
        find(environ)
    assert caught.value.hint
    return caught.value


def choose_context(folder: Path, name: str, host: str | None, *, current: bool = True) -> None:
    hashed = hashlib.sha256(name.encode()).hexdigest()
    meta = folder / ".docker" / "contexts" / "meta" / hashed
    meta.mkdir(parents=True)
    docker = {"Host": host, "SkipTLSVerify": False} if host is not None else {}
    (meta / "meta.json").write_text(json.dumps({"Name": name, "Endpoints": {"docker": docker}}))
    if current:
        (folder / ".docker" / "config.json").write_text(json.dumps({"currentContext": name}))


def test_nothing_is_there(environ: dict[str, str]) -> None:
    started = time.monotonic()
    error = failure(environ)

    assert time.monotonic() - started < 5
    assert error.message == "there is no Docker Engine on this machine"
    assert error.code == "engine_missing"


def test_the_usual_place(folder: Path, environ: dict[str, str]) -> None:
    with listening(folder / "system.sock", engine()) as asked:
        found = find(environ)

    assert found == Endpoint(
        str(folder / "system.sock"), "at its usual place", HERE_MODE, "27.1.2", "1.41"
    )
    assert asked == ["/version", "/v1.41/info", "/v1.41/networks/bridge"]


@pytest.mark.parametrize(
    "place",
    [
        "runtime/docker.sock",
        ".docker/run/docker.sock",
        ".docker/desktop/docker.sock",
        ".colima/default/docker.sock",
        ".orbstack/run/docker.sock",
        ".rd/docker.sock",
    ],
)
def test_other_usual_places(folder: Path, environ: dict[str, str], place: str) -> None:
    (folder / place).parent.mkdir(parents=True)
    with listening(folder / place, engine()):
        assert find(environ).socket == str(folder / place)


def test_usual_places_are_tried_in_their_order(folder: Path, environ: dict[str, str]) -> None:
    own = folder / "runtime" / "docker.sock"
    own.parent.mkdir()
    with listening(own, engine(version="2")):
        with listening(folder / "system.sock", engine(version="1")):
            assert find(environ).version == "1"
        with listening(folder / "system.sock", engine(api="1.40")):
            assert find(environ).version == "2"
    with listening(folder / "system.sock", engine(api="1.40")):
        assert "too old" in failure(environ).message


def test_one_that_is_named_is_the_only_one(folder: Path, environ: dict[str, str]) -> None:
    with listening(folder / "system.sock", engine()):
        error = failure({**environ, "DOCKER_HOST": f"unix://{folder}/none.sock"})

    assert error.message == (
        f"the Docker Engine at {folder}/none.sock, named by DOCKER_HOST, is not there"
    )
    assert error.hint is not None
    assert error.hint.endswith("; or unset DOCKER_HOST")


def test_docker_host_goes_before_a_context(folder: Path, environ: dict[str, str]) -> None:
    choose_context(folder, "mine", f"unix://{folder}/context.sock")
    with listening(folder / "a.sock", engine()):
        found = find({**environ, "DOCKER_HOST": f"unix://{folder}/a.sock"})

    assert (found.socket, found.because) == (str(folder / "a.sock"), "named by DOCKER_HOST")


@pytest.mark.parametrize("by_variable", [True, False])
def test_a_context(folder: Path, environ: dict[str, str], *, by_variable: bool) -> None:
    choose_context(folder, "mine", f"unix://{folder}/context.sock", current=not by_variable)
    if by_variable:
        environ["DOCKER_CONTEXT"] = "mine"
    with listening(folder / "context.sock", engine()):
        found = find(environ)

    assert found.socket == str(folder / "context.sock")
    assert found.because == "named by the Docker context mine"
    way_out = "unset DOCKER_CONTEXT" if by_variable else "docker context use default"
    assert way_out in str(failure(environ).hint)


@pytest.mark.parametrize("host", ["default", None])
def test_a_context_that_names_no_socket(
    folder: Path, environ: dict[str, str], host: str | None
) -> None:
    if host == "default":
        environ["DOCKER_CONTEXT"] = "default"
    else:
        choose_context(folder, "bare", None)
    with listening(folder / "system.sock", engine()):
        assert find(environ).because == "at its usual place"


def test_a_context_that_is_gone(environ: dict[str, str]) -> None:
    error = failure({**environ, "DOCKER_CONTEXT": "gone"})

    assert error.message == "there is no Docker context gone"


def test_the_folder_of_contexts_can_be_another(folder: Path, environ: dict[str, str]) -> None:
    choose_context(folder, "mine", f"unix://{folder}/context.sock")
    (folder / ".docker").rename(folder / "elsewhere")
    with listening(folder / "context.sock", engine()):
        found = find({**environ, "DOCKER_CONFIG": str(folder / "elsewhere")})

    assert found.because == "named by the Docker context mine"


def test_a_configuration_that_cannot_be_read(folder: Path, environ: dict[str, str]) -> None:
    (folder / ".docker").mkdir()
    (folder / ".docker" / "config.json").write_text("{")

    assert "config.json cannot be read" in failure(environ).message


@pytest.mark.parametrize("host", ["tcp://10.0.0.1:2375", "ssh://me@host", "http://x", "npipe://x"])
def test_a_remote_engine_is_refused(folder: Path, environ: dict[str, str], host: str) -> None:
    error = failure({**environ, "DOCKER_HOST": host})

    assert error.code == "engine_remote"
    assert error.message == (
        f"DOCKER_HOST names {host}: a remote engine is not supported yet,"
        " because the gateway must reach the instances"
    )
    choose_context(folder, "far", host)
    assert "the Docker context far names" in failure(environ).message


@pytest.mark.parametrize("host", ["/var/run/docker.sock", "unix://", "unix://x", "nonsense"])
def test_an_address_that_is_none(environ: dict[str, str], host: str) -> None:
    assert "is no address of an engine" in failure({**environ, "DOCKER_HOST": host}).message


def test_nobody_listens(folder: Path, environ: dict[str, str]) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(folder / "system.sock"))

    error = failure(environ)

    assert error.message.endswith("at its usual place, is not running: nobody listens")
    assert "systemctl start docker" in str(error.hint)


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_no_socket(folder: Path, environ: dict[str, str], kind: str) -> None:
    place = folder / "system.sock"
    place.touch() if kind == "file" else place.mkdir()

    assert failure(environ).message.endswith("is no socket")


@pytest.mark.skipif(not IS_ROOT, reason="only root can stop being root")
def test_it_refuses_permission(folder: Path) -> None:
    place = folder / "denied.sock"
    folder.chmod(0o755)
    with listening(place, engine()):
        place.chmod(0o600)
        told = asked_as_nobody(folder, place)

    assert told.startswith(
        f"the Docker Engine at {place}, named by DOCKER_HOST, refuses permission"
    )
    assert "usermod -aG docker" in told


def asked_as_nobody(folder: Path, place: Path) -> str:
    """What somebody without any rights is told of an engine."""
    program = f"""
import grp, os, sys  # what cannot be found any more once it is nobody
sys.path.insert(0, {str(ROOT)!r})
from core.engines.docker.endpoint import find
from core.errors import EngineUnavailable
os.setgroups([]); os.setgid(65534); os.setuid(65534)
try:
    print(find({{"DOCKER_HOST": "unix://{place}", "HOME": "{folder}"}}).mode)
except EngineUnavailable as error:
    print(error.message, error.hint, sep="; ")
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout.strip()


@pytest.mark.parametrize("silent", [hang, trickle])
@pytest.mark.parametrize("path", ["/version", "/info"])
def test_it_hangs(
    folder: Path, environ: dict[str, str], silent: Any, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(greeting, "_LIMIT_S", 0.3)
    with listening(folder / "system.sock", {**engine(), path: silent}):
        started = time.monotonic()
        error = failure(environ)

    assert time.monotonic() - started < 30  # a trickle would take minutes
    assert error.message.endswith("does not answer within 0.3 s")


def test_nobody_takes_the_connection(
    folder: Path, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(greeting, "_LIMIT_S", 0.3)
    with socket.socket(socket.AF_UNIX) as busy:
        busy.bind(str(folder / "system.sock"))
        busy.listen(0)
        with socket.socket(socket.AF_UNIX) as first:
            first.connect(str(folder / "system.sock"))
            assert failure(environ).message.endswith("does not answer within 0.3 s")


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"\x00\xff" * 100,
        http("200 OK", b"<html>"),
        http("200 OK", b"[]"),
        http("200 OK", b"{}"),
        http("200 OK", b'{"ApiVersion": 5}'),
        http("200 OK", b'{"ApiVersion": "x"}'),
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}",
    ],
)
def test_something_else_listens(folder: Path, environ: dict[str, str], answer: bytes) -> None:
    with listening(folder / "system.sock", {"/version": answer}):
        assert failure(environ).message.endswith("does not speak Docker's API")


@pytest.mark.parametrize("path", ["/version", "/info", "/networks/bridge"])
def test_a_guard_refuses(folder: Path, environ: dict[str, str], path: str) -> None:
    refusal = http("403 Forbidden", b"not for you")
    with listening(folder / "system.sock", {**engine(), path: refusal}):
        error = failure(environ)

    assert error.message.endswith("refuses: 403 not for you")


def test_too_old(folder: Path, environ: dict[str, str]) -> None:
    with listening(folder / "system.sock", engine(version="19.03.15", api="1.40")):
        error = failure(environ)

    assert error.message.endswith("is version 19.03.15, which is too old")
    assert error.hint == "update it to Docker 20.10 or newer"


def test_one_that_speaks_nothing_as_old_as_we_do(folder: Path, environ: dict[str, str]) -> None:
    answers = engine(version="29.0.4", api="1.52", oldest_api="1.44")
    with listening(folder / "system.sock", answers) as asked:
        assert find(environ).api == "1.44"

    assert asked[1:] == ["/v1.44/info", "/v1.44/networks/bridge"]


def test_windows_containers(folder: Path, environ: dict[str, str]) -> None:
    with listening(folder / "system.sock", engine(system="windows")):
        assert failure(environ).message.endswith("does not run Linux containers")


def test_podman_is_said(folder: Path, environ: dict[str, str]) -> None:
    answers = engine(component="Podman Engine", api="1.41")
    del answers["/networks/bridge"]
    with listening(folder / "podman.sock", answers):
        found = find(environ)

    assert found.version == "27.1.2 (Podman, which is untested)"
    assert found.mode is HERE_MODE


@pytest.mark.parametrize(
    ("answers", "mode"),
    [
        (engine(info={"SecurityOptions": ["name=seccomp", "name=rootless"]}), Mode.PUBLISHED),
        (engine(info={"OperatingSystem": "Docker Desktop"}), Mode.PUBLISHED),
        (engine(bridge=ELSEWHERE), Mode.PUBLISHED),
        (engine(bridge=HERE), HERE_MODE),
        (engine(bridge={"IPAM": {"Config": None}}), HERE_MODE),
        (engine(info={"SecurityOptions": None}), HERE_MODE),
    ],
)
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere it is always published")
def test_modes(folder: Path, environ: dict[str, str], answers: dict[str, Any], mode: Mode) -> None:
    with listening(folder / "system.sock", answers):
        assert find(environ).mode is mode
    assert (mode.cost is None) == (mode is Mode.HOLDERS)


def test_an_engine_outside_of_our_container(
    folder: Path, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "mark").touch()
    monkeypatch.setattr(endpoint, "_CONTAINER_MARKS", (folder / "mark",))
    with listening(folder / "system.sock", engine(bridge=ELSEWHERE)):
        assert "is outside of this container" in failure(environ).message
    with listening(folder / "system.sock", engine(bridge=HERE)):
        assert find(environ).mode is HERE_MODE


@pytest.mark.skipif(not IS_ROOT, reason="only root can stop being root")
def test_without_root_names_cannot_be_held(folder: Path) -> None:
    place = folder / "open.sock"
    folder.chmod(0o755)
    with listening(place, engine()):
        place.chmod(0o666)
        assert asked_as_nobody(folder, place) == Mode.DIRECT


@pytest.fixture
def engine_with_other_files(folder: Path) -> Iterator[Path]:
    """An engine that does not share our files, as one in a container or a snap."""
    program = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from pathlib import Path
from tests.engines.docker.fake_engine import engine, listening
with listening(Path({str(folder)!r}) / "other.sock", engine()):
    print("listening", flush=True)
    sys.stdin.read()
"""
    command = ["unshare", "--mount", sys.executable, "-c", program]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == b"listening\n"
        yield folder / "other.sock"
        process.stdin.close()


@pytest.mark.skipif(
    not (IS_ROOT and shutil.which("unshare")), reason="only root can make a mount namespace"
)
def test_one_with_other_files_cannot_be_entered(engine_with_other_files: Path) -> None:
    found = find({"DOCKER_HOST": f"unix://{engine_with_other_files}"})

    assert found.mode is Mode.DIRECT


def test_one_that_was_found_before(folder: Path) -> None:
    with listening(folder / "a.sock", engine(version="29.0.4", oldest_api="1.44")):
        found = known(str(folder / "a.sock"))

    assert (found.version, found.api, found.mode) == ("29.0.4", "1.44", HERE_MODE)
    with pytest.raises(EngineUnavailable, match="which this home folder uses, is not there"):
        known(found.socket)


@pytest.mark.docker
def test_a_real_engine(docker_socket: str) -> None:
    found = find({"DOCKER_HOST": f"unix://{docker_socket}"})

    assert found.socket == docker_socket
    assert found.mode is HERE_MODE
    assert found.api == "1.41"
    assert found.version[0].isdigit()
