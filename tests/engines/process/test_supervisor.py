"""The shim with real services: what it keeps, how it restarts, how it ends them."""

from __future__ import annotations

import os
import signal
import stat
import time
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

from core.lines import LINE_LIMIT
from core.model import Stream
from tests.engines.process.shims import DEADLINE_S, WAITS, Shims, is_alive, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

IGNORES_SIGTERM = """
import signal, time
signal.signal(signal.SIGTERM, lambda *_: print("I stay"))
print("up")
while True:
    time.sleep(60)
"""
SLEEPS = "import time; print('up'); time.sleep(60)"
CRASHES_TWICE = """
import pathlib, sys, time
seen = pathlib.Path("seen")
seen.write_text(seen.read_text() + "x" if seen.exists() else "x")
if len(seen.read_text()) <= 2:
    sys.exit(3)
print("up")
time.sleep(60)
"""
DETACHES = """
import os, pathlib, signal, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        {in_daemon}
        pathlib.Path("daemon.new").write_text(str(os.getpid()))
        os.rename("daemon.new", "daemon")
        time.sleep(60)
    time.sleep(60)
while not os.path.exists("daemon"):
    time.sleep(0.01)
{in_service}
"""


@pytest.fixture
def shims(home: Path) -> Iterator[Shims]:
    found = Shims(home)
    yield found
    found.close()


def daemon_of(shims: Shims) -> int:
    path = shims.folder / "0" / "daemon"
    wait_for(path.exists, "the daemon")
    return int(path.read_text())


def test_keeps_both_streams_and_the_exit(shims: Shims) -> None:
    shim = shims.start(
        "import os, sys; print(os.environ['GREETING'], os.getcwd()); "
        "print('bad', file=sys.stderr); sys.exit(7)"
    )
    record = shim.wait()
    assert shim.texts() == [f"hello {shim.folder}"]
    assert shim.texts(Stream.STDERR) == ["bad"]
    assert shim.texts(Stream.COMPARTMENT) == ["the process exited with code 7"]
    assert shim.lines()[-1].stream is Stream.COMPARTMENT
    assert (record["code"], record["signal"], record["error"]) == (7, None, None)
    assert record["startedAt"] < record["at"]
    assert record["restarts"] == 0
    assert not shim.socket.exists()


def test_a_secret_is_in_the_environment_of_the_service_and_nowhere_else(shims: Shims) -> None:
    secret = "pa$$ \"w'\\#=\ttab\n;&|<>*?`é" + "long" * 30_000
    shim = shims.start(
        "import os, json, pathlib, time\n"
        "value = os.environ['SECRET']\n"
        "pathlib.Path('seen').write_text(value, newline='')\n"
        "print(value); print('json', json.dumps(value)); print('x' * 16_000 + value)\n"
        "print('up', flush=True); time.sleep(60)",
        environment={"SECRET": secret},
        secrets=[secret],
    )
    shim.wait_text("up")
    assert (shim.folder / "seen").read_bytes() == secret.encode()
    (shim.folder / "seen").unlink()
    kept = [path.read_bytes() for path in shim.folder.rglob("*") if path.is_file()]
    assert not any(b"longlonglong" in each or b"pa$$" in each for each in kept)
    assert shim.texts()[:2] == ["***", "***"]
    assert Path(f"/proc/{shim.process.pid}/environ").read_bytes().count(b"\0") <= 2


def test_record_names_the_signal(shims: Shims) -> None:
    shim = shims.start("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    record = shim.wait()
    assert (record["code"], record["signal"]) == (None, signal.SIGSEGV)
    assert shim.texts(Stream.COMPARTMENT) == ["the process was ended by SIGSEGV"]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"argv": ["/no/such/program"]}, "cannot start /no/such/program: No such file"),
        ({"argv": ["/etc/passwd"]}, "cannot start /etc/passwd: Permission denied"),
        ({"cwd": "/no/such/folder"}, "cannot start /no/such/folder: No such file"),
        ({"environment": {"A": "\0"}}, ": Invalid argument"),
    ],
)
def test_what_cannot_be_started_is_recorded(
    shims: Shims, changes: dict[str, object], error: str
) -> None:
    shim = shims.start("", **changes)
    record = shim.wait()
    assert error in record["error"]
    assert (record["code"], record["signal"]) == (None, None)
    assert shim.texts(Stream.COMPARTMENT) == [record["error"]]


def test_state_is_told_at_once_and_at_the_end(shims: Shims) -> None:
    before = time.time()
    shim = shims.start(WAITS)
    client = shim.connect()
    state = client.state()
    assert state["state"] == "running"
    assert is_alive(state["pid"])
    assert state["shimPid"] == shim.process.pid
    assert before <= state["startedAtUnix"] <= time.time()
    assert state["exit"] is None
    shim.go()
    last = client.wait_state("exited")
    assert last["pid"] is None
    assert last["exit"] == shim.wait()


def test_service_has_a_clean_start(shims: Shims) -> None:
    shim = shims.start(
        "import os, signal\n"
        "print(os.getpid() == os.getpgid(0) == os.getsid(0))\n"
        "print(sorted(map(int, os.listdir('/proc/self/fd')))[:-1])\n"
        "status = dict(l.split(':', 1) for l in open('/proc/self/status'))\n"
        # The C library keeps 32 and 33 to itself: nobody can reset these.
        "print([int(status[k], 16) & ~(3 << 31) for k in ('SigBlk', 'SigIgn')])\n"
    )
    shim.wait()
    # Python itself ignores SIGPIPE (13) and SIGXFSZ (25), and nothing else may be.
    assert shim.texts() == ["True", "[0, 1, 2]", str([0, 1 << 12 | 1 << 24])]


def test_socket_and_log_are_private(shims: Shims) -> None:
    shim = shims.start(SLEEPS)
    shim.wait_text("up")
    for path in (shim.socket, shim.log):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_stale_socket_is_replaced(shims: Shims) -> None:
    folder = shims.folder / "0"
    first = shims.start(SLEEPS)
    first.connect().state()
    first.process.kill()
    first.process.wait()
    assert (folder / "s").exists()
    second = shims.start(SLEEPS, socket=str(folder / "s"))
    second.socket = folder / "s"
    wait_for(lambda: "up" in second.texts(), "the second service")
    assert second.connect().state()["shimPid"] == second.process.pid


def test_stop_is_polite(shims: Shims) -> None:
    shim = shims.start(
        "import signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: (print('bye'), sys.exit(0)))\n"
        "print('up'); time.sleep(60)"
    )
    client = shim.connect()
    shim.wait_text("up")
    client.keep()
    client.order(do="stop", graceMs=60_000)
    assert client.wait_state("stopping")["pid"]
    assert client.wait_state("exited")["exit"]["code"] == 0
    assert shim.wait()["code"] == 0
    assert shim.texts() == ["up", "bye"]


def test_stop_kills_after_the_grace(shims: Shims) -> None:
    shim = shims.start(IGNORES_SIGTERM)
    shim.wait_text("up")
    client = shim.connect()
    pid = client.state()["pid"]
    client.order(do="stop", graceMs=200)
    assert shim.wait()["signal"] == signal.SIGKILL
    assert not is_alive(pid)
    assert shim.texts(Stream.COMPARTMENT)[0] == "the grace is over: killed"


def test_a_second_stop_can_shorten_the_grace(shims: Shims) -> None:
    shim = shims.start(IGNORES_SIGTERM)
    shim.wait_text("up")
    client = shim.connect()
    client.order(do="stop", graceMs=600_000)
    shim.wait_text("I stay")
    client.order(do="stop", graceMs=0)
    assert shim.wait()["signal"] == signal.SIGKILL


def test_sigterm_to_the_shim_is_a_stop(shims: Shims) -> None:
    shim = shims.start(SLEEPS)
    shim.wait_text("up")
    shim.process.terminate()
    assert shim.wait()["signal"] == signal.SIGTERM


def test_a_candidate_is_not_restarted(shims: Shims) -> None:
    shim = shims.start(
        "raise SystemExit(1)", restart={"policy": "unless-stopped", "maxRetries": None}
    )
    assert shim.wait()["restarts"] == 0


def test_restarts_from_its_first_end_if_it_was_live_before(shims: Shims) -> None:
    policy = {"policy": "on-failure", "maxRetries": None}
    shims.start(CRASHES_TWICE, restart=policy, isKept=True).wait_text("up")


def test_restarts_once_it_is_kept(shims: Shims) -> None:
    shim = shims.start(WAITS + CRASHES_TWICE, restart={"policy": "on-failure", "maxRetries": None})
    client = shim.connect()
    first = client.keep()["pid"]
    shim.go()
    states: list[dict[str, Any]] = []
    while not states or states[-1]["state"] != "running" or states[-1]["restarts"] < 2:
        states.append(client.state())
    assert [state["state"] for state in states] == ["restarting", "running"] * 2
    assert [state["pid"] for state in states[::2]] == [None, None]
    assert states[0]["exit"]["code"] == 3
    assert states[-1]["pid"] != first
    shim.wait_text("up")
    assert shim.texts(Stream.COMPARTMENT) == [
        "the process exited with code 3",
        "restarts in 0.1 s",
        "the process exited with code 3",
        "restarts in 0.2 s",
    ]


def kept_from_the_start(
    shims: Shims, script: str, policy: str, limit: int | None
) -> dict[str, object]:
    shim = shims.start(WAITS + script, restart={"policy": policy, "maxRetries": limit})
    shim.connect().keep()
    shim.go()
    return shim.wait()


def test_max_retries(shims: Shims) -> None:
    record = kept_from_the_start(shims, "raise SystemExit(1)", "on-failure", 2)
    assert (record["code"], record["restarts"]) == (1, 2)


def test_success_is_no_failure(shims: Shims) -> None:
    assert kept_from_the_start(shims, "", "on-failure", None)["restarts"] == 0


def test_policy_no(shims: Shims) -> None:
    assert kept_from_the_start(shims, "raise SystemExit(1)", "no", None)["restarts"] == 0


def test_unless_stopped_restarts_after_success(shims: Shims) -> None:
    shim = shims.start(
        WAITS,
        restart={"policy": "unless-stopped", "maxRetries": None},
    )
    client = shim.connect()
    client.keep()
    shim.go()
    assert client.wait_state("restarting")["exit"]["code"] == 0
    client.order(do="stop", graceMs=1000)
    # It may have been started once more before it hears of that.
    assert shim.wait() == client.wait_state("exited")["exit"]


def test_a_detached_grandchild_ends_with_the_service(shims: Shims) -> None:
    shim = shims.start(DETACHES.format(in_daemon="", in_service="print('done')"))
    daemon = daemon_of(shims)
    assert shim.wait()["code"] == 0
    assert not is_alive(daemon)


def test_a_detached_grandchild_has_the_grace_of_a_stop(shims: Shims) -> None:
    says_bye = (
        "signal.signal(signal.SIGTERM, lambda *_: (time.sleep(0.2), print('bye'), os._exit(0)))"
    )
    shim = shims.start(DETACHES.format(in_daemon=says_bye, in_service="time.sleep(60)"))
    daemon = daemon_of(shims)
    client = shim.connect()
    client.order(do="stop", graceMs=60_000)
    shim.wait()
    assert not is_alive(daemon)
    assert shim.texts() == ["bye"]


def test_a_stranger_that_holds_the_pipe_is_not_waited_for(shims: Shims) -> None:
    shim = shims.start("print('up')\n" + WAITS)
    shim.wait_text("up")
    pid = shim.connect().state()["pid"]
    held = os.open(f"/proc/{pid}/fd/1", os.O_WRONLY)
    try:
        shim.go()
        assert shim.wait()["code"] == 0
    finally:
        os.close(held)


def test_a_stranger_that_never_stops_writing_is_not_waited_for(shims: Shims) -> None:
    shim = shims.start("print('up')\n" + WAITS)
    shim.wait_text("up")
    pid = shim.connect().state()["pid"]
    held = os.open(f"/proc/{pid}/fd/1", os.O_WRONLY)

    def write_for_ever() -> None:
        with suppress(BrokenPipeError):
            while True:
                os.write(held, b"y\n" * 1000)

    writing = Thread(target=write_for_ever)
    writing.start()
    try:
        shim.go()
        assert shim.wait()["code"] == 0
    finally:
        shim.close()
        writing.join()
        os.close(held)


def test_the_service_dies_with_a_killed_shim(shims: Shims) -> None:
    shim = shims.start(IGNORES_SIGTERM)
    shim.wait_text("up")
    pid = shim.connect().state()["pid"]
    shim.process.kill()
    shim.process.wait()
    wait_for(lambda: not is_alive(pid), "the end of the service")
    assert not shim.record_path.exists()


def test_clients_come_and_go(shims: Shims) -> None:
    shim = shims.start(SLEEPS)
    first, second = shim.connect(), shim.connect()
    assert first.state() == second.state()
    first.close()
    third = shim.connect()
    third.order(do="stop", graceMs=1000)
    assert third.wait_state("exited")["exit"] == second.wait_state("exited")["exit"]


def test_nonsense_does_no_harm(shims: Shims) -> None:
    shim = shims.start(SLEEPS)
    client = shim.connect()
    for raw in (
        b"\n",
        b"{\n",
        b"[]\n",
        b'{"do": 1}\n',
        b'{"do": "stop", "graceMs": "x"}\n',
        b"\xff\n",
    ):
        client.send(raw)
    endless = shim.connect()
    with suppress(ConnectionError):  # it may be dropped before all is sent
        endless.send(b"x" * 100_000)
    assert endless.is_closed()
    client.send(b'{"do": "st')
    assert shim.connect().state()["state"] == "running"
    client.send(b'op"}\n')
    assert client.wait_state("exited")["exit"]["signal"] == signal.SIGTERM


def test_much_output_is_kept_in_order(shims: Shims) -> None:
    count = 200_000
    shim = shims.start(
        "import sys\n"
        f"for n in range({count // 2}):\n"
        "    sys.stdout.write(f'o{n}\\n')\n"
        "    if n % 1000 == 999: sys.stdout.flush()\n"
        "    sys.stderr.write(f'e{n}\\n')\n",
    )
    shim.wait()
    assert shim.texts() == [f"o{n}" for n in range(count // 2)]
    assert shim.texts(Stream.STDERR) == [f"e{n}" for n in range(count // 2)]
    at = [line.at for line in shim.lines()]
    assert at == sorted(at)


def test_endless_output_neither_blocks_nor_grows(shims: Shims) -> None:
    shim = shims.start("import sys\nwhile True: sys.stdout.write('y\\n' * 10000)")
    third = shim.log.with_name(shim.log.name + ".2")
    wait_for(third.exists, "three parts")
    memory = Path(f"/proc/{shim.process.pid}/statm").read_text().split()[1]
    assert int(memory) * os.sysconf("SC_PAGESIZE") < 64 * 1024 * 1024
    client = shim.connect()
    client.order(do="stop", graceMs=1000)
    assert client.wait_state("exited")
    shim.wait()
    sizes = [path.stat().st_size for path in shim.log.parent.iterdir()]
    assert len(sizes) == 3
    assert max(sizes) <= 10 * 1024 * 1024


def test_a_very_long_line_is_shortened(shims: Shims) -> None:
    shim = shims.start("print('x' * 90_000); print('next')")
    shim.wait()
    more = 90_000 - LINE_LIMIT
    assert shim.texts() == ["x" * LINE_LIMIT + f" … [{more} more characters]", "next"]


def test_binary_output_becomes_readable(shims: Shims) -> None:
    shim = shims.start("import os; os.write(1, bytes(range(256)) + b'\\n\\xff\\xfe\\xc3(\\n')")
    shim.wait()
    text = "".join(shim.texts())
    assert text.isprintable() or "\t" in text
    assert shim.texts()[-1] == r"\xff\xfe\xc3("


def test_hostile_codes_are_removed(shims: Shims) -> None:
    shim = shims.start(
        r"print('\x1b]0;title\x07a\x1b[2J\x1b[31mred\x1b[0m\x1bc\u202eb')"
        "\n"
        r"print('10%\r50%\r100%\r')"
    )
    shim.wait()
    assert shim.texts() == ["a\x1b[31mred\x1b[0mb", "100%"]


def test_a_prompt_is_kept_while_it_waits(shims: Shims) -> None:
    shim = shims.start(
        "import sys, time\n"
        "sys.stdout.write('name? ')\n"
        "while True:\n"
        "    print('busy', file=sys.stderr)\n"
        "    time.sleep(0.05)\n"
    )
    shim.wait_text("name? ")
    assert shim.process.poll() is None


def test_the_last_line_needs_no_newline(shims: Shims) -> None:
    shim = shims.start("import sys; sys.stdout.write('one\\ntwo')")
    shim.wait()
    assert shim.texts() == ["one", "two"]


def test_a_full_disk_does_not_stop_the_service(shims: Shims) -> None:
    shim = shims.start(
        "print('up')\n" + WAITS,
        log="/dev/full/x.log",
        record="/dev/full/record",
    )
    state = shim.connect().state()
    assert state["state"] == "running"
    client = shim.connect()
    shim.go()
    assert client.wait_state("exited")["exit"]["code"] == 0
    assert shim.process.wait(DEADLINE_S) == 0
