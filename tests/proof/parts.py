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
    """All tests of some files."""
    return Part(name, title, tuple(f"{HERE}/{each}" for each in files), workers)


def _half_a_million() -> Iterator[Part]:
    for engine in ("process", "docker"):
        for number in (1, 2, 3):
            yield Part(
                f"requests-{engine}-{number}",
                f"Half a million requests, {engine}, part {number} of 3",
                (f"{HERE}/test_half_a_million.py", "-k", f"{engine}-{number}"),
            )


_CRASHES = (
    ("first, redeploy, down", ("first", "redeploy", "down")),
    ("deploy, failed builds and starts", ("deploy", "build", "does-not-start")),
    ("never ready, cancelled", ("does-not-get", "cancelled")),
    ("rollback, promote", ("rollback", "promote")),
    ("stop-first, jobs", ("stop", "job")),
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
            )


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
    _of("faults-process", "Faults at every stage (process)", "test_faults.py", workers=2),
    _of(
        "faults-disk",
        "A slow disk, a refused update",
        "test_faults_disk.py",
        "test_faults_refusal.py",
    ),
    _of("faults-clients", "Many clients, lost terminals", "test_faults_clients.py", workers=2),
    _of("faults-docker", "Faults at every stage (docker)", "test_faults_docker.py", workers=2),
    _of("faults-engine", "The engine is restarted, killed, hangs", "test_faults_engine.py"),
    _of(
        "fuzz-files",
        "Files and bytes of strangers",
        *("test_fuzz_files.py", "test_fuzz_compose.py", "test_fuzz_logs.py"),
        *("test_fuzz_strangers.py", "test_fuzz_commands.py"),
        workers=2,
    ),
    _of("fuzz-agent", "The agent's interface", "test_fuzz_api.py", "test_fuzz_sockets.py"),
    _of(
        "security",
        "What a stranger can reach",
        *("test_security_routes.py", "test_security_smuggling.py", "test_security_limits.py"),
        *("test_security_files.py", "test_security_text.py"),
    ),
    _of("gateways", "The gateway beside others", "test_gateways.py"),
    _of("speed", "Speed", "test_speed.py"),
    _of("scale", "Scale", "test_scale.py"),
    _of("soak", "A thousand deploys in a row", "test_soak.py"),
)
