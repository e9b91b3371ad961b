"""A server that cannot be reached any more: a few tries, then the words that the run goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from core.cli import again, exits
from core.cli.exits import Exit
from core.cli.output import Output
from core.errors import AgentUnavailable

if TYPE_CHECKING:
    from core.agent.client import Client


class Lost:
    """A client of a server, which answers at the last try or never."""

    server = "me@server"

    def __init__(self, answers_at: int) -> None:
        self.tries = 0
        self._answers_at = answers_at

    async def attach_again(self) -> None:
        self.tries += 1
        if self.tries != self._answers_at:
            raise AgentUnavailable("cannot reach me@server: timed out", hint="is it up?")


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(again, "_PAUSES_S", (0.0, 0.0, 0.0))


async def test_it_is_tried_until_it_answers(capsys: pytest.CaptureFixture[str]) -> None:
    lost = Lost(answers_at=3)
    await again.attach_again(cast("Client", lost), Output(), "run drn_a")
    assert lost.tries == 3
    assert capsys.readouterr().err.splitlines() == [
        f"the connection to me@server is lost; connecting again ({number} of 3)"
        for number in (1, 2, 3)
    ]


async def test_in_the_end_it_is_said_that_the_run_goes_on() -> None:
    lost = Lost(answers_at=0)
    with pytest.raises(AgentUnavailable) as given_up:
        await again.attach_again(cast("Client", lost), Output(), "run drn_a")
    assert lost.tries == 3
    assert given_up.value.message == (
        "cannot reach me@server: timed out; run drn_a goes on without this command"
    )
    assert exits.of_error(given_up.value) is Exit.UNREACHABLE
