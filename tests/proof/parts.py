"""The parts of the proof: each one pytest command, none longer than nine minutes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = "tests/proof"
LIMIT_S = 9 * 60


@dataclass(frozen=True, slots=True)
class Part:
    """Some tests that are run together, and the heading that their figures stand under."""

    name: str
    title: str
    tests: tuple[str, ...]
    """What pytest is given."""
    workers: int = 0
    """How many run side by side; 0 where times are measured."""


def _of(name: str, title: str, *files: str, workers: int = 0) -> Part:
    """All tests of some files in `tests`."""
    return Part(name, title, tuple(f"tests/{each}" for each in files), workers)


def _half_a_million() -> Iterator[Part]:
    for engine in ("process", "docker"):
        for number in (1, 2, 3):
            yield Part(
                f"requests-{engine}-{number}",
                f"Half a million requests, {engine}, part {number} of 3",
                (f"{HERE}/test_half_a_million.py", "-k", f"{engine}-{number}"),
            )


_CRASHES = (
    ("first deploys", ("first",)),
    ("deploy, redeploy", ("deploy", "redeploy")),
    ("builds and starts that fail", ("build", "does-not-start")),
    ("never ready, cancelled, down", ("does-not-get", "cancelled", "down")),
    ("rollback", ("rollback",)),
    ("promote, jobs", ("promote", "job")),
    ("stop-first", ("stop",)),
    ("recovery", ("recovery",)),
)


def _crash_matrix() -> Iterator[Part]:
    for engine in ("process", "docker"):
        for number, (title, plans) in enumerate(_CRASHES, 1):
            chosen = " or ".join(f"{engine}-{plan}" for plan in plans)
            yield Part(
                f"crashes-{engine}-{number}",
                f"The agent is killed at every step: {title} ({engine})",
                (f"{HERE}/test_crash_matrix.py", "-k", chosen),
                workers=2,
            )


def _engine_faults() -> Iterator[Part]:
    for number, (title, chosen) in enumerate(
        (
            ("The engine restarts", "restarts and not dead"),
            ("The engine hangs, the gateway is killed", "gateway and hangs"),
            ("The engine hangs, the agent is killed", "agent and hangs"),
            ("The engine restarts while the agent is dead", "dead"),
        ),
        1,
    ):
        tests = (f"{HERE}/test_faults_engine.py", "-k", chosen)
        yield Part(f"faults-engine-{number}", title, tests)


def _scale() -> Iterator[Part]:
    file = f"{HERE}/test_scale.py"
    yield Part("scale", "A hundred and a thousand services", (file, "-k", "not commands"))
    for services, chosen in (
        ("1", "commands and not 100"),
        ("100", "commands and 100 and not 1000"),
        ("1000", "commands and 1000"),
    ):
        title = f"A hundred thousand old deployments, services: {services}"
        yield Part(f"scale-{services}", title, (file, "-k", chosen))


PARTS = (
    *_half_a_million(),
    *_crash_matrix(),
    Part("journal", "The journal is cut at any byte", (f"{HERE}/test_journal_cuts.py",)),
    Part("disk-clock", "A full disk, a clock that jumps", (f"{HERE}/test_disk_and_clock.py",)),
    *(
        Part(
            f"damage-{engine}",
            f"A damaged journal is made anew ({engine})",
            (f"{HERE}/test_damaged_journal.py", "-k", engine),
        )
        for engine in ("process", "docker")
    ),
    _of("faults-process", "Faults at every stage (process)", "proof/test_faults.py", workers=2),
    _of(
        "faults-disk",
        "A slow disk, a refused update",
        "proof/test_faults_disk.py",
        "proof/test_faults_refusal.py",
    ),
    _of(
        "faults-clients", "Many clients, lost terminals", "proof/test_faults_clients.py", workers=2
    ),
    Part(
        "faults-docker-1",
        "The agent is killed or hangs at every stage (docker)",
        (f"{HERE}/test_faults_docker.py", "-k", "agent"),
        workers=2,
    ),
    Part(
        "faults-docker-2",
        "Other faults at every stage (docker)",
        (f"{HERE}/test_faults_docker.py", "-k", "not agent"),
        workers=2,
    ),
    _of(
        "faults-docker-3",
        "Containers are lost; the agent and the gateway are killed",
        *("e2e/test_docker_faults.py", "e2e/test_crashes.py"),
        workers=2,
    ),
    Part(
        "faults-docker-4",
        "The way to the engine is cut",
        ("tests/e2e/test_docker_lost.py", "-k", "not comes_back"),
    ),
    Part(
        "faults-docker-5",
        "The engine goes away in a run, and comes back",
        ("tests/e2e/test_docker_lost.py", "-k", "comes_back"),
    ),
    *_engine_faults(),
    _of(
        "fuzz-files",
        "Files and bytes of strangers",
        *("proof/test_fuzz_files.py", "proof/test_fuzz_compose.py", "proof/test_fuzz_logs.py"),
        *("proof/test_fuzz_strangers.py", "proof/test_fuzz_commands.py"),
        workers=2,
    ),
    _of(
        "fuzz-agent",
        "The agent's interface",
        "proof/test_fuzz_api.py",
        "proof/test_fuzz_sockets.py",
    ),
    _of(
        "security",
        "What a stranger can reach",
        *(
            "proof/test_security_routes.py",
            "proof/test_security_smuggling.py",
            "proof/test_security_limits.py",
        ),
        *("proof/test_security_files.py", "proof/test_security_text.py"),
    ),
    _of("gateways", "The gateway beside others", "proof/test_gateways.py"),
    _of("speed", "Speed", "proof/test_speed.py"),
    *_scale(),
    _of("large", "A gigabyte of logs, a thousand services", "proof/test_large.py"),
    _of("soak", "A thousand deploys in a row", "proof/test_soak.py"),
    _of("soak-docker", "Fifty deploys in a row on Docker", "e2e/test_docker_growth.py"),
)
