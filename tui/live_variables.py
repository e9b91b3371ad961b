"""What the dashboard asks of the agent about variables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.agent.client import Client

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class LiveVariables:
    """The variables of one environment."""

    client: Client
    target: Mapping[str, str]

    async def found(self) -> list[Json]:
        """Those of the environment, then those of each service itself, with what may be shown."""
        environment = await self.client.variables(self.target)
        found = [await self._whole(each, self.target) for each in environment["variables"]]
        for service in environment["servicesWithVariables"]:
            query = {**self.target, "service": service}
            listed = (await self.client.variables(query))["variables"]
            # What a service has from its environment stands there already.
            own = [each for each in listed if each["sourceType"] == "direct"]
            found += [await self._whole(each, query) for each in own]
        return found

    async def _whole(self, listed: Json, query: Mapping[str, Any]) -> Json:
        """A list has no values: what may be shown is asked for by name."""
        if listed["sensitivity"] == "sensitive":
            return {**listed, "value": None, "valueHidden": True}
        whole: Json = (await self.client.variable(listed["keyName"], query))["variable"]
        return whole

    async def set(self, name: str, value: str, service: str | None, *, is_sensitive: bool) -> None:
        """Sets one for a service, or for all of them."""
        body = {**self.target, "service": service, "value": value, "sensitive": is_sensitive}
        await self.client.set_variable(name, body)

    async def remove(self, name: str, service: str | None) -> None:
        """Removes one."""
        await self.client.remove_variable(name, {**self.target, "service": service})

    async def take_in(
        self, values: Mapping[str, str], service: str | None, *, is_sensitive: bool
    ) -> None:
        """Sets several at once; what is not among them stays as it is."""
        await self.client.import_variables(
            {
                **self.target,
                "service": service,
                "variables": dict(values),
                "sensitive": is_sensitive,
                "replace": False,
            }
        )
