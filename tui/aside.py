"""Work that another processor does while this one imports Textual."""

from __future__ import annotations

import os
import pickle
from typing import TYPE_CHECKING, Generic, NoReturn, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Aside(Generic[T]):
    """A function that a child process carries out; its result and its errors can be pickled.

    A thread would not do: it would wait for the imports, and they for it.
    """

    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self._told, telling = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            _carry_out(work, telling)
        os.close(telling)

    def result(self) -> T:
        """What the function returned; raises what it raised."""
        with os.fdopen(self._told, "rb") as told:
            data = told.read()
        os.waitpid(self._pid, 0)
        if not data:  # it was killed, or what it had to tell could not be told
            return self._work()
        error, found = pickle.loads(data)  # noqa: S301 - from our own child
        if error is not None:
            raise error
        result: T = found
        return result


def _carry_out(work: Callable[[], object], telling: int) -> NoReturn:
    try:
        told: tuple[Exception | None, object]
        try:
            told = (None, work())
        except Exception as error:  # noqa: BLE001 - raised in the parent
            told = (error, None)
        with os.fdopen(telling, "wb") as file:
            file.write(pickle.dumps(told))
    finally:
        # Whatever happens, also a ctrl-c, which the parent gets as well: a second one of us is no
        # way to go on.
        os._exit(0)
