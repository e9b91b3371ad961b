"""Images from elsewhere: pulled when their policy says so, with what docker's own config knows."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from docker import auth
from docker.utils import parse_repository_tag

from core.engines.docker.progress import Progress, messages
from core.errors import CompartmentError, EngineUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    import docker as sdk

    from core.engines.docker.connection import Docker
    from core.engines.docker.shelf import Shelf

Json = dict[str, Any]

_ALWAYS: Final = "always"
_NEVER: Final = "never"
_AGES: Final = {"daily": timedelta(days=1), "weekly": timedelta(weeks=1)}
_EVERY: Final = "every_"
_UNITS: Final = {"w": "weeks", "d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
_LATEST: Final = "latest"
_FIRST_YEARS: Final = "0002"
"""The engine's word for never is the year 1."""

_NO_ACCESS: Final = re.compile(r"denied|unauthorized|authentication|no basic auth", re.IGNORECASE)
_UNKNOWN: Final = re.compile(r"not found|manifest unknown|no such", re.IGNORECASE)
_NO_WAY: Final = re.compile(
    r"dial tcp|lookup|timeout|connection refused|network is unreachable|no route|TLS handshake",
    re.IGNORECASE,
)


class Pulling:
    """Pulls images for the services that are made from them."""

    def __init__(self, docker: Docker, shelf: Shelf) -> None:
        self._docker = docker
        self._shelf = shelf

    async def is_due(self, image: str, policy: str) -> bool:
        """Whether an image that is there is pulled again.

        Raises:
            EngineUnavailable: the engine does not say.
        """
        age = age_of(policy)
        if age is None or (found := await self._find(image)) is None:
            return False
        tagged = (found.get("Metadata") or {}).get("LastTagTime") or ""
        if tagged < _FIRST_YEARS:
            return True
        return datetime.now(UTC) - datetime.fromisoformat(tagged) >= age

    async def pull(
        self, image: str, policy: str, platform: str, say: Callable[[str], None]
    ) -> None:
        """Pulls an image, unless its policy is content with the one that is there.

        Raises:
            CompartmentError: it cannot be had, and why.
            EngineUnavailable: the engine went away.
        """
        is_there = await self._find(image) is not None
        if is_there and not await self.is_due(image, policy):
            return
        if policy == _NEVER:
            raise CompartmentError(
                f"the image {image} is not on the Docker Engine, and pull_policy is never",
                hint=f"get it there: `docker pull {image}`, or change pull_policy",
            )
        repository, tag = parse_repository_tag(image)
        headers = await self._docker.call(lambda client: _credentials(client, repository))
        progress = Progress(0, say)
        parameters = {"fromImage": repository, "tag": tag or _LATEST}
        if platform:
            parameters["platform"] = platform
        try:
            path = "/images/create"
            async with self._docker.stream("POST", path, None, headers, **parameters) as answer:
                async for message in messages(answer):
                    progress.hear(message)
        except EngineUnavailable:
            raise
        except CompartmentError as error:
            progress.error = error.message.removeprefix("the Docker Engine refused: ")
        if progress.error is not None:
            raise explained(image, progress.error)

    async def _find(self, image: str) -> Json | None:
        return await self._shelf.inspect(quote(image, safe="/:@"))


def explained(image: str, said: str) -> CompartmentError:
    """Why an image cannot be pulled, in words that help."""
    reason = " ".join(said.split())
    hint = f"see why `docker pull {image}` fails"
    if _NO_WAY.search(reason):
        hint = f"see whether this machine reaches the registry: `docker pull {image}`"
    elif _NO_ACCESS.search(reason):
        # A registry does not tell strangers which of the two it is.
        hint = "correct its name, or, where it is private, `docker login` as the agent's user"
    elif _UNKNOWN.search(reason):
        hint = "correct its name and tag"
    return CompartmentError(
        f"the image {image} is not on the Docker Engine and cannot be pulled: {reason}", hint=hint
    )


def age_of(policy: str) -> timedelta | None:
    """How old an image may be; None where it does not matter."""
    if policy == _ALWAYS:
        return timedelta()
    if policy.startswith(_EVERY):
        parts = re.findall(r"(\d+)([wdhms])", policy.removeprefix(_EVERY))
        return timedelta(**{_UNITS[unit]: int(number) for number, unit in parts})
    return _AGES.get(policy)


def _credentials(client: sdk.APIClient, repository: str) -> dict[str, str]:
    """What docker's own command would send, from its config as it is now."""
    client.reload_config()
    registry, _ = auth.resolve_repository_name(repository)
    header = auth.get_config_header(client, registry)
    return {"X-Registry-Auth": header.decode()} if header else {}
