from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

import pytest

from core.engines.source.detect import detect_command, shell_argv
from core.errors import ConfigError
from core.model import ServiceKind

if TYPE_CHECKING:
    from pathlib import Path

WEB, API, WORKER, CRON = ServiceKind.WEB, ServiceKind.API, ServiceKind.WORKER, ServiceKind.CRON
PROCFILE = "# all of them\nweb: ./serve --port $PORT\r\nworker:  ./work  \nbilling: ./bill\n"
EVERYTHING = {
    "Procfile": PROCFILE,
    "package.json": '{"scripts": {"start": "node ."}}',
    "main.py": "",
    "index.html": "",
}


def _write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).write_text(text)
    return folder


@pytest.mark.parametrize(
    ("name", "kind", "command"),
    [
        ("shop", WEB, "./serve --port $PORT"),
        ("shop", API, "./serve --port $PORT"),
        ("shop", WORKER, "./work"),
        ("billing", WEB, "./bill"),
        ("billing", CRON, "./bill"),
        ("nightly", CRON, "npm start"),
    ],
)
def test_procfile_comes_first(tmp_path: Path, name: str, kind: ServiceKind, command: str) -> None:
    assert detect_command(_write(tmp_path, EVERYTHING), name, kind).command == command


@pytest.mark.parametrize(
    ("without", "command", "because"),
    [
        (["Procfile"], "npm start", "package.json: scripts.start"),
        (["Procfile", "package.json"], "python3 main.py", "main.py"),
        (
            ["Procfile", "package.json", "main.py"],
            'python3 -m http.server "$PORT" --bind 127.0.0.1',
            "index.html: served as static files",
        ),
    ],
)
def test_order(tmp_path: Path, without: list[str], command: str, because: str) -> None:
    _write(tmp_path, {name: text for name, text in EVERYTHING.items() if name not in without})
    detected = detect_command(tmp_path, "web", WEB)
    assert (detected.command, detected.because) == (command, because)


def test_several_python_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"main\.py, server\.py") as caught:
        detect_command(_write(tmp_path, {"main.py": "", "server.py": ""}), "web", WEB)
    assert caught.value.hint == "set run.command"


@pytest.mark.parametrize("kind", list(ServiceKind))
def test_nothing_to_go_by(tmp_path: Path, kind: ServiceKind) -> None:
    _write(tmp_path, {"package.json": '{"scripts": {"build": "tsc"}}'})
    (tmp_path / "main.py").mkdir()
    with pytest.raises(ConfigError, match="nothing says how to run the service shop") as caught:
        detect_command(tmp_path, "shop", kind)
    assert caught.value.hint == "set run.command"


def test_a_worker_is_not_a_static_site(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        detect_command(_write(tmp_path, {"index.html": ""}), "mail", WORKER)


def test_broken_package_json_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"package\.json is not JSON: line 1, column 2"):
        detect_command(_write(tmp_path, {"package.json": "{"}), "web", WEB)


@pytest.mark.parametrize("text", ["[]", '{"scripts": []}', '{"scripts": {"start": 1}}', "null"])
def test_odd_package_json_says_nothing(tmp_path: Path, text: str) -> None:
    detected = detect_command(_write(tmp_path, {"package.json": text, "app.py": ""}), "web", WEB)
    assert detected.command == "python3 app.py"


def _run(command: str) -> tuple[int, str]:
    environment = {"PATH": os.environ["PATH"], "WHO": "you", "PY": sys.executable}
    done = subprocess.run(
        shell_argv(command), capture_output=True, text=True, env=environment, check=False
    )
    return done.returncode, done.stdout


@pytest.mark.parametrize(
    ("command", "output"),
    [
        ("false && echo a || echo b", "b\n"),
        ("A=1 sh -c 'echo $A'", "1\n"),
        ("A=1 B='b c' C=\"$WHO\" sh -c 'echo $A $B $C'", "1 b c you\n"),
        ("A=1; echo $A", "1\n"),
        ("A=1", ""),
        ("> /dev/null echo a", ""),
        ("$NOTHING", ""),
        ("echo A=1", "A=1\n"),
        ("echo a | cat", "a\n"),
        ("echo a; echo b", "a\nb\n"),
        ("echo a\necho b\n", "a\nb\n"),
        ("cd / && pwd", "/\n"),
        ("cd /\n", ""),
        ("export A=2; sh -c 'echo $A'", "2\n"),
        ("if true; then echo yes; fi", "yes\n"),
        ("for i in 1 2; do echo $i; done", "1\n2\n"),
        ("{ echo a; echo b; }", "a\nb\n"),
        ("(echo a; echo b)", "a\nb\n"),
        ("! false", ""),
        ("exec echo a", "a\n"),
        ("echo $(echo a; echo b)", "a b\n"),
        ("echo `echo a`", "a\n"),
        ("echo 'a; b' \"c && $WHO\" d\\;e ${WHO}", "a; b c && you d;e you\n"),
        ("echo \"$(echo a; echo 'b')\"", "a\nb\n"),
        ("echo a # it's; a comment", "a\n"),
        ("echo a#b", "a#b\n"),
        ("echo a >&2", ""),
        ("sh -c 'echo a >&2' 2>&1", "a\n"),
        ("  echo a \n", "a\n"),
        ("echo a &\nwait", "a\n"),
        (": nothing", ""),
    ],
)
def test_the_shell_does_what_the_command_says(command: str, output: str) -> None:
    assert _run(command) == (0, output)


@pytest.mark.parametrize(
    "command",
    [
        """"$PY" -c 'import os; print(os.getpid())'""",
        """A=1 B="$WHO" python3 -c 'import os; print(os.getpid(), os.environ["A"])'""",
        """env python3 -c 'import os; print(os.getpid())'""",
        """python3 -c "import os; print(os.getpid(), '$WHO')" """,
        """python3 -c 'import os; print(os.getpid())' ${WHO} < /dev/null 2>&1""",
    ],
)
def test_a_simple_command_is_the_process_that_was_started(command: str) -> None:
    environment = {"PATH": os.environ["PATH"], "WHO": "you", "PY": sys.executable}
    with subprocess.Popen(
        shell_argv(command), stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        assert int(process.stdout.readline().split()[0]) == process.pid


def test_exec_is_put_in_front_of_simple_commands_only() -> None:
    assert shell_argv("python3 app.py --port $PORT")[2] == "exec python3 app.py --port $PORT"
    assert shell_argv("A=1 ./app")[2] == "A=1 exec ./app"
    assert shell_argv("a && b")[2] == "a && b"


def test_long_odd_commands_are_judged_quickly() -> None:
    started = time.perf_counter()
    shell_argv("run " + "a  " * 5_000 + "'")
    shell_argv("run " + '"\\a" ' * 5_000 + "(")
    assert time.perf_counter() - started < 10


def test_the_static_server_answers_and_ends_on_sigterm(tmp_path: Path) -> None:
    _write(tmp_path, {"index.html": "hello"})
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        port = chosen.getsockname()[1]
    command = detect_command(tmp_path, "web", WEB).command
    environment = {"PATH": os.environ["PATH"], "PORT": str(port)}
    with subprocess.Popen(
        shell_argv(command), cwd=tmp_path, env=environment, stderr=subprocess.PIPE
    ) as process:
        deadline = time.monotonic() + 60
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as answer:
                    assert answer.read() == b"hello"
                break
            except urllib.error.URLError:
                assert time.monotonic() < deadline
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=5) == -signal.SIGTERM
        assert process.stderr is not None
        assert b"Traceback" not in process.stderr.read()
