"""The output of containers: every line once, whatever happens to the agent or the stream."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

import pytest

from core.engines.docker.connection import Docker
from core.engines.docker.logs import LogReader
from core.lines import stamp
from core.model import Stream
from core.secrets import Mask
from tests.engine.cut import cut
from tests.engines.docker.lab import LIMIT_S, NAME, lab, labs

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.docker, pytest.mark.timeout(120), pytest.mark.usefixtures("lab_image")]

COUNTS = """
import os, sys, time
for n in range({count}):
    print(n, file=sys.stdout if n % 3 else sys.stderr, flush=True)
    time.sleep({pause_s})
"""
LONG = "x" * 40_000


async def test_both_streams_are_told_apart_and_in_order(docker_socket: str, home: Path) -> None:
    async with lab(docker_socket, home) as it:
        instance = await it.start(COUNTS.format(count=300, pause_s=0))
        before = stamp()
        await instance.wait_exit()
        for stream, rest in ((Stream.STDERR, (0,)), (Stream.STDOUT, (1, 2))):
            found = [line for line in it.lines() if line.stream is stream]
            assert [line.text for line in found] == [str(n) for n in range(300) if n % 3 in rest]
            assert [line.at for line in found] == sorted(line.at for line in found)
            assert abs(int(found[0].at[:4]) - int(before[:4])) <= 1


async def test_long_and_unended_lines_and_controls(docker_socket: str, home: Path) -> None:
    text = f"print('{LONG}'); print('10%\\r20%'); print('\\x1b[2Jclear'); print('end', end='')"
    async with lab(docker_socket, home) as it:
        instance = await it.start(text)
        await instance.wait_exit()
        first, *others = it.texts()
        assert first == f"{LONG[:16_384]} … [{40_000 - 16_384} more characters]"
        assert others == ["20%", "clear", "end"]


async def test_secrets_are_kept_by_no_agent(docker_socket: str, home: Path) -> None:
    secret = "hunter22\n'$\"" + "long" * 6000
    text = (
        "import json, os, time; s = os.environ['SECRET']\n"
        "print(s); print('x' * 16_000 + s); print(json.dumps(s)); print('up')\n"
        "while not os.path.exists('/tmp/go'): time.sleep(0.01)\n"
        "print('again', s); print('end')"
    )
    async with labs(docker_socket, home) as make:
        before = await make()
        before.secrets.append(secret)
        await before.start(text, variables={"TEXT": text, "SECRET": secret})
        await before.until_printed("up")
        await before.close()
        it = await make()
        it.secrets.append(secret)
        instance = await it.instances.adopt(NAME)
        assert instance is not None
        await it.execute(instance, ["touch", "/tmp/go"])
        await it.until_printed("end")
        kept = it.log().read_text()
    assert "hunter22" not in kept
    assert "longlong" not in kept
    assert [line for line in it.texts() if "***" in line]


async def test_nothing_is_lost_or_doubled_by_cut_streams(docker_socket: str, home: Path) -> None:
    async with cut(docker_socket) as proxy, labs(docker_socket, home) as make:
        it = await make(proxy.socket)
        image = await it.image()
        instance = await it.start(COUNTS.format(count=3000, pause_s=0.001), image=image)
        ended = asyncio.ensure_future(instance.wait_exit())
        while not ended.done():
            back = asyncio.ensure_future(it.events.wait_back())
            proxy.cut_all()
            async with asyncio.timeout(LIMIT_S):
                await back
            await asyncio.wait([ended], timeout=random.uniform(0.05, 0.4))
        assert sorted(map(int, it.texts())) == list(range(3000))


async def test_a_log_stream_that_is_cut_alone_is_taken_up_again(
    docker_socket: str, home: Path
) -> None:
    async with cut(docker_socket) as proxy, lab(docker_socket, home) as it:
        spec = it.spec(COUNTS.format(count=500, pause_s=0.002), log=it.log("other"))
        instance = await it.instances.start(spec, await it.image())
        container = await it.inspected(instance)
        container["Config"]["Labels"]["compartment.log"] = str(it.log())
        through = Docker(proxy.socket)
        reader = LogReader(through, container, Mask())
        reading = asyncio.ensure_future(reader.run())
        reader.wake()
        await it.until_printed("0")
        proxy.cut_all()
        await it.until_printed("499")
        await reader.wait_read()
        assert sorted(map(int, it.texts())) == list(range(500))
        reading.cancel()
        await through.close()


async def test_nothing_is_lost_or_doubled_by_agents_that_end(
    docker_socket: str, home: Path
) -> None:
    async with labs(docker_socket, home) as make:
        agent = await make()
        instance = await agent.start(COUNTS.format(count=3000, pause_s=0.001))
        while True:
            try:
                async with asyncio.timeout(random.uniform(0.05, 0.5)):
                    await instance.wait_exit()
                    break
            except TimeoutError:
                await agent.close()
            agent = await make()
            found = await agent.instances.adopt(NAME)
            if found is None:  # ended while no agent was there
                await agent.instances.stop(NAME, grace_s=0)
                break
            instance = found
        assert sorted(map(int, agent.texts())) == list(range(3000))


async def test_the_output_of_every_start_is_kept(docker_socket: str, home: Path) -> None:
    async with lab(docker_socket, home) as it:
        instance = await it.start("print('one'); print('half', end='')")
        await instance.wait_exit()
        for _ in range(3):
            await it.instances.stop(NAME, grace_s=0)
            again = await it.start("print('one'); print('half', end='')", address=instance.address)
            await again.wait_exit()
        assert it.texts() == ["one", "half"] * 4


async def test_what_was_printed_while_no_agent_was_there_is_kept(
    docker_socket: str, home: Path
) -> None:
    async with labs(docker_socket, home) as make:
        before = await make()
        instance = await before.start("print('one'); import signal; signal.pause()")
        await before.until_printed("one")
        await before.close()
        after = await make()
        await after.docker.order("POST", f"/containers/{instance.id}/kill")
        await after.instances.stop(NAME, grace_s=0)
        assert after.texts() == ["one"]
