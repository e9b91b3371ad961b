"""Which core does what: the gateway has one for itself, load and services share the other."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from tests.proof.gateways.programs import program

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_CORES = sorted(os.sched_getaffinity(0))
GATEWAY, REST = _CORES[0], _CORES[-1]
"""The same one on a machine that has one."""


def on_core(core: int, command: Sequence[str]) -> list[str]:
    """A command line that runs there from its start on."""
    return [program("taskset"), "-c", str(core), *command]


def move(pids: Iterable[int], core: int) -> None:
    """Moves running processes there, with all of their threads."""
    for pid in pids:
        for task in Path(f"/proc/{pid}/task").iterdir():
            with suppress(ProcessLookupError):  # a thread may end at any moment
                os.sched_setaffinity(int(task.name), {core})


@contextmanager
def staying_on(core: int) -> Iterator[None]:
    """This process itself; what it starts meanwhile is there as well."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
