"""Half a million requests over deploys and rollbacks: not one is lost, on either engine.

Two processes send what many kinds of client would: small requests on connections of their own and
on connections that are kept, uploads, server-sent events, websockets. They wait for no reply: each
request is sent when it is due, whatever has become of those before it. Meanwhile two deploys and a
rollback follow each other, again and again.

Every request has an id of its own. Its right reply has to be there, whole, with its id in it; the
service writes each id down before it replies. Afterwards every id that was sent must stand there
exactly once, written by the version that has replied. A stream may be asked to end, and must not
break off. From the moment in which a switch is said to have happened, no request may be answered
by the version before it. It is shown in three parts for each engine; the figures of the parts are
to be added up.
"""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING

import pytest

from tests.load.outcome import StreamEnd
from tests.load.plan import LoadPlan
from tests.proof.volume.over_time import p99_ms, seconds
from tests.proof.volume.senders import sending
from tests.proof.volume.switches import DEPLOY, ROLLBACK, TURNS, Switch, switch
from tests.proof.volume.verdict import by_the_wrong_version, not_exactly_once

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.house import House, LabProject
    from tests.figures import FiguresRecorder
    from tests.proof.evidence import SeriesRecorder

PARTS = (1, 2, 3)
REQUESTS = 170_000
"""Of each part."""
REQUESTS_PER_SWITCH = 5_000
DEPLOYS, ROLLBACKS = 17, 7
"""At least, in each part."""
SENDERS = 2
PLAN = LoadPlan(
    fresh_per_s=200,
    keep_alive_per_s=330,
    keep_alive_clients=33,
    posts_per_s=10,
    post_bytes=100_000,
    sse_clients=3,
    websocket_clients=3,
)
"""Of each of the senders."""


@pytest.mark.whole
@pytest.mark.timeout(540)
@pytest.mark.engines("process", "docker")
@pytest.mark.parametrize("part", PARTS)
async def test_nothing_is_lost(
    running: House,
    lab: LabProject,
    tmp_path: Path,
    figures: FiguresRecorder,
    series: SeriesRecorder,
    part: int,
) -> None:
    lab.write(web={}, backoffice={"kind": "api"})
    lab.route({"on": "web", "path": "/api/*", "to": "backoffice", "stripPrefix": "/api"})
    await running.deployed(lab)
    switches: list[Switch] = []
    began = time.monotonic()
    async with sending(await running.target(), PLAN, SENDERS, tmp_path) as senders:
        for trigger in itertools.cycle(TURNS):
            await senders.has_sent(REQUESTS_PER_SWITCH * (len(switches) + 1))
            switches.append(await switch(running, lab, trigger))
            triggers = [each.trigger for each in switches]
            is_enough = triggers.count(DEPLOY) >= DEPLOYS and triggers.count(ROLLBACK) >= ROLLBACKS
            if senders.sent >= REQUESTS and is_enough:
                break
    accounts = senders.accounts
    if lab.receiver:
        lab.receiver.catch_up()
    sent = sum(len(each.starts) for each in accounts)
    lost = [loss for each in accounts for loss in each.lost]
    streams = [stream for each in accounts for stream in each.streams]
    cut = [each for each in streams if each.how is StreamEnd.CUT]
    not_once = not_exactly_once(accounts, lab.access_log_path)
    wrong = by_the_wrong_version(accounts, switches)
    figures("deploys under load", triggers.count(DEPLOY), "deploys")
    figures("rollbacks under load", triggers.count(ROLLBACK), "rollbacks")
    figures("requests sent meanwhile", sent, "requests")
    figures("streams opened meanwhile", len(streams), "streams")
    figures("requests lost", len(lost), "requests", 0)
    figures("requests not answered exactly once", not_once, "requests", 0)
    figures("streams broken off", len(cut), "streams", 0)
    figures("requests to an old version after its switch", wrong, "requests", 0)
    lasted_s = max(each.starts[-1] for each in accounts) - min(each.starts[0] for each in accounts)
    figures("requests per second, mean", sent / lasted_s, "/s")
    figures("latency, p99, from when a request was due", p99_ms(accounts), "ms")
    late_ms = max(each.latest_start_s for each in accounts) * 1000
    figures("the load's own delay, at most", late_ms, "ms")
    if part == PARTS[0]:
        marks = [each.acknowledged_at - began for each in switches]
        found = seconds(accounts, began)
        plot = f"load-{running.engine}"
        rates = [(each.at_s, float(each.per_s)) for each in found]
        series(plot, "requests per second", "seconds", rates, marks)
        p99s = [(each.at_s, each.p99_ms) for each in found]
        series(plot, "p99, ms", "seconds", p99s, marks)
    assert lost == []
    assert cut == []
    assert not_once == 0
    assert wrong == 0
    assert sum(each.answered for each in accounts) == sent >= REQUESTS
