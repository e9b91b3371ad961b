"""Figures from counters that a test sets; that real ones are read is tested with their owners."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

import pytest

from core.engines.base import Usage
from core.gateway.table import Traffic
from core.model import Service
from core.records import Activation, ActivationState, Target
from core.statistics import Statistics
from tests.one_engine import one_engine
from tests.promotion.records import TARGET, deployment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.gateway.gateway import Gateway
    from core.promotion.ledger import Ledger

OTHER = Target("other", "production")


class Machine:
    """An engine and a gateway that count what a test tells them to, and a clock."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self.cpu_seconds: dict[str, float] = {}
        self.traffic_now: dict[str, Traffic] | None = {}
        self.asked: list[list[str]] = []
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    def clock(self) -> float:
        return self.now_s

    async def usage(self, names: Sequence[str]) -> dict[str, Usage]:
        self.asked.append(sorted(names))
        await self.may_answer.wait()
        known = self.cpu_seconds
        return {name: Usage(known[name], 1_000_000) for name in names if name in known}

    async def traffic(self) -> dict[str, Traffic] | None:
        return self.traffic_now and dict(self.traffic_now)

    def count(
        self, name: str, *, cpu: float = 0, requests: int = 0, errors: int = 0, p95: Any = None
    ) -> None:
        """Adds to the counters of an activation."""
        self.cpu_seconds[name] = self.cpu_seconds.get(name, 0) + cpu
        assert self.traffic_now is not None
        before = self.traffic_now.get(name, Traffic(0, 0, None))
        self.traffic_now[name] = Traffic(
            before.requests_total + requests, before.errors_total + errors, p95
        )


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture
def statistics(ledger: Ledger, machine: Machine) -> Statistics:
    return Statistics(ledger, one_engine(machine), cast("Gateway", machine), clock=machine.clock)


async def place(
    ledger: Ledger,
    id_: str,
    service: str = "web",
    state: ActivationState = ActivationState.LIVE,
    target: Target = TARGET,
) -> str:
    """A deployment with one activation; returns the name of that."""
    activation = Activation(id_, 1, state, "2026-01-01", addresses=(("127.0.0.1", 20_000),))
    service_of = Service(service, ".")
    await ledger.write(deployment(id=id_, service=service_of, target=target), activation)
    return activation.name


async def figures(statistics: Statistics, service: str = "web") -> dict[str, Any]:
    found: dict[str, Any] = (await statistics.sample(TARGET))["services"][service]
    return found


async def test_rates_are_those_since_the_last_reading(
    ledger: Ledger, machine: Machine, statistics: Statistics
) -> None:
    name = await place(ledger, "dep_a")
    machine.count(name, cpu=100, requests=5_000, errors=70, p95=8.13)
    first = await statistics.sample(TARGET)
    assert first["services"] == {
        "web": {
            "cpuPercent": None,
            "memoryBytes": 1_000_000,
            "requestsPerSecond": None,
            "errorsPerSecond": None,
            "p95Ms": 8.1,
        }
    }
    machine.now_s += 2
    machine.count(name, cpu=0.5, requests=25, errors=3, p95=12)
    second = await statistics.sample(TARGET)
    assert second["at"] > first["at"]
    assert second["services"]["web"] == {
        "cpuPercent": 25.0,
        "memoryBytes": 1_000_000,
        "requestsPerSecond": 12.5,
        "errorsPerSecond": 1.5,
        "p95Ms": 12,
    }


async def test_what_drains_counts_to_its_service(
    ledger: Ledger, machine: Machine, statistics: Statistics
) -> None:
    old = await place(ledger, "dep_a")
    new = await place(ledger, "dep_b", state=ActivationState.CANDIDATE)
    machine.count(old, cpu=5, requests=500)
    machine.count(new, cpu=1)
    assert (await figures(statistics))["memoryBytes"] == 1_000_000
    await place(ledger, "dep_a", state=ActivationState.DRAINING)
    await place(ledger, "dep_b")
    machine.now_s += 2
    machine.count(old, cpu=0.1, requests=2, errors=2, p95=9_000)
    machine.count(new, cpu=0.3, requests=40, p95=7)
    assert await figures(statistics) == {
        "cpuPercent": 20,
        "memoryBytes": 2_000_000,
        "requestsPerSecond": 21,
        "errorsPerSecond": 1,
        "p95Ms": 7,
    }


async def test_what_has_ended_since_the_last_reading_counts_once_more(
    ledger: Ledger, machine: Machine, statistics: Statistics
) -> None:
    old = await place(ledger, "dep_a")
    stopped = await place(ledger, "dep_c", "worker")
    machine.count(old, requests=500)
    machine.count(stopped, requests=7)
    await statistics.sample(TARGET)
    await place(ledger, "dep_a", state=ActivationState.GONE)
    await place(ledger, "dep_c", "worker", state=ActivationState.GONE)
    new = await place(ledger, "dep_b")
    machine.now_s += 2
    machine.count(old, requests=30)
    machine.count(new, requests=10)
    found = (await statistics.sample(TARGET))["services"]
    assert list(found) == ["web"]
    assert found["web"]["requestsPerSecond"] == 20
    machine.now_s += 2
    machine.count(new, requests=40)
    assert (await figures(statistics))["requestsPerSecond"] == 20


async def test_an_upstream_that_is_new_counts_from_its_first_request(
    ledger: Ledger, machine: Machine, statistics: Statistics
) -> None:
    machine.count("another.1", requests=1)
    await statistics.sample(TARGET)
    name = await place(ledger, "dep_a")
    machine.now_s += 2
    machine.count(name, cpu=1, requests=10)
    found = await figures(statistics)
    assert found["requestsPerSecond"] == 5
    assert found["cpuPercent"] is None


async def test_watchers_share_readings(
    ledger: Ledger, machine: Machine, statistics: Statistics
) -> None:
    here, there = await place(ledger, "dep_a"), await place(ledger, "dep_b", target=OTHER)
    machine.may_answer.clear()
    async with asyncio.TaskGroup() as group:
        asking = [group.create_task(statistics.sample(each)) for each in (TARGET, OTHER, TARGET)]
        await asyncio.sleep(0)
        machine.may_answer.set()
    assert len({task.result()["at"] for task in asking}) == 1
    machine.now_s += 0.9
    await statistics.sample(TARGET)
    assert machine.asked == [[here, there]]
    machine.now_s += 0.2
    await statistics.sample(OTHER)
    assert machine.asked == [[here, there]] * 2


async def test_a_reading_that_was_given_up_holds_nobody_back(
    ledger: Ledger, machine: Machine, statistics: Statistics
) -> None:
    machine.count(await place(ledger, "dep_a"))
    machine.may_answer.clear()
    async with asyncio.TaskGroup() as group:
        given_up = group.create_task(statistics.sample(TARGET))
        waiting = group.create_task(statistics.sample(TARGET))
        await asyncio.sleep(0)
        given_up.cancel()
        machine.may_answer.set()
    assert waiting.result()["services"].keys() == {"web"}


async def test_an_old_reading_is_not_compared_with(
    ledger: Ledger, machine: Machine, statistics: Statistics
) -> None:
    name = await place(ledger, "dep_a")
    machine.count(name, cpu=1, requests=1)
    await statistics.sample(TARGET)
    machine.now_s += 3600
    machine.count(name, cpu=3600, requests=3600)
    found = await figures(statistics)
    assert found["cpuPercent"] is found["requestsPerSecond"] is None


async def test_a_gateway_that_is_down_is_no_error(
    ledger: Ledger, machine: Machine, statistics: Statistics
) -> None:
    name = await place(ledger, "dep_a")
    machine.count(name, requests=50, p95=3)
    await statistics.sample(TARGET)
    machine.now_s += 2
    machine.count(name, cpu=1)
    machine.traffic_now = None
    down = await figures(statistics)
    assert down["cpuPercent"] == 50
    assert down["requestsPerSecond"] is down["errorsPerSecond"] is down["p95Ms"] is None
    machine.now_s += 2
    machine.traffic_now = {name: Traffic(4, 0, None)}
    assert (await figures(statistics))["requestsPerSecond"] is None
    machine.now_s += 2
    machine.traffic_now = {name: Traffic(1, 0, None)}  # it was started again in between
    assert (await figures(statistics))["requestsPerSecond"] is None
    machine.now_s += 2
    machine.count(name, requests=3)
    assert (await figures(statistics))["requestsPerSecond"] == 1.5


async def test_a_gateway_that_hangs_holds_nobody_back(
    ledger: Ledger, machine: Machine, statistics: Statistics, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never() -> None:
        await asyncio.Event().wait()

    machine.count(await place(ledger, "dep_a"), p95=1)
    monkeypatch.setattr("core.statistics._PATIENCE_S", 0.01)
    monkeypatch.setattr(machine, "traffic", never)
    found = await figures(statistics)
    assert (found["memoryBytes"], found["p95Ms"]) == (1_000_000, None)


async def test_a_service_without_requests_or_process_has_what_is_known(
    ledger: Ledger, machine: Machine, statistics: Statistics
) -> None:
    worker = await place(ledger, "dep_a", "worker")
    await place(ledger, "dep_b", "crashed")
    machine.cpu_seconds[worker] = 1
    found = (await statistics.sample(TARGET))["services"]
    assert list(found) == ["crashed", "worker"]
    assert found["worker"]["memoryBytes"] == 1_000_000
    assert set(found["crashed"].values()) == {None}
    machine.now_s += 2
    machine.cpu_seconds[worker] = 0.9  # what is lost with a process is no negative load
    assert (await figures(statistics, "worker"))["cpuPercent"] == 0


async def test_an_environment_without_services_has_no_figures(
    machine: Machine, statistics: Statistics
) -> None:
    assert (await statistics.sample(TARGET))["services"] == {}
