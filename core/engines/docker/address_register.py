"""Which addresses of a network are given out, also where no container has them yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.errors import CompartmentError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from core.engines.docker.attachments import Joining
    from core.engines.docker.network import Network


class AddressRegister:
    """The addresses of one network. What is `used` is what containers have, by their names."""

    def __init__(self) -> None:
        self.reserved: frozenset[str] = frozenset()
        """What the file gives to services by itself."""
        self._given: set[str] = set()
        self._held: set[str] = set()
        self._before: dict[str, list[str]] = {}
        """What each service has had whose name leads to its instances."""

    @property
    def is_used(self) -> bool:
        """Whether an instance has, or is about to have, one of them."""
        return bool(self._given)

    def clear(self) -> None:
        """Forgets all."""
        for known in (self._given, self._held, self._before):
            known.clear()

    def hold(self, network: Network, used: Collection[str], before: str) -> str:
        """An address for a holder, until `drop`; if possible the one that it had before.

        Raises:
            CompartmentError: no address is left.
        """
        if not _is_free(network, used, before):
            before = self._next(network, {*used, *self._given})
        self._held.add(before)
        return before

    def note_held(self, address: str) -> None:
        """Takes notice of the address of a holder that was found."""
        self._held.add(address)

    def drop(self, address: str) -> None:
        """Lets the address of a holder that is removed be given out again."""
        self._held.discard(address)

    def give(
        self, network: Network, used: Mapping[str, str], joining: Joining, exact: str | None
    ) -> str:
        """An address for an instance, until `release`; `exact` is the one that it must have.

        Raises:
            CompartmentError: no address is left, or it cannot have that one.
        """
        if exact is None:
            blocked = {*used, *joining.taken, *self._given, *self._held}
            address = self._again(network, blocked, joining) or self._next(network, blocked)
        else:
            address = _checked(network, used, joining, exact)
        self._given.add(address)
        if joining.is_sticky:
            self.note(joining.service_name, address)
        return address

    def note(self, service_name: str, address: str) -> None:
        """Remembers what a service has, for the instance that comes after."""
        known = self._before.setdefault(service_name, [])
        if address not in known:
            known.append(address)

    def release(self, address: str) -> None:
        """Lets the address of an instance be given out again."""
        self._given.discard(address)

    def _again(self, network: Network, blocked: Collection[str], joining: Joining) -> str | None:
        known = self._before.get(joining.service_name, ()) if joining.is_sticky else ()
        return next((each for each in known if _is_free(network, blocked, each)), None)

    def _next(self, network: Network, blocked: Collection[str]) -> str:
        """One that nobody remembers, or else one that nobody has."""
        blocked = {*blocked, *self._held, *self.reserved}
        remembered = {address for known in self._before.values() for address in known}
        assert network.addresses is not None
        address = network.addresses.take(blocked | remembered) or network.addresses.take(blocked)
        if address is None:
            raise CompartmentError(
                f"all addresses of the network {network.name} are in use",
                hint="remove the containers on it that are not needed any more",
            )
        return address


def _is_free(network: Network, used: Collection[str], address: str) -> bool:
    return network.subnet is not None and network.subnet.has(address) and address not in used


def _checked(network: Network, used: Mapping[str, str], joining: Joining, exact: str) -> str:
    if exact in used:
        why = f"is used by the container {used[exact]}"
    elif network.subnet is None or not network.subnet.has(exact):
        why = "is not on it"
    else:
        return exact
    if exact == joining.wanted:
        raise CompartmentError(
            f"an instance cannot have its address on the network {network.name} again:"
            f" {exact} {why}",
            hint="deploy its service again",
        )
    raise CompartmentError(
        f"{joining.service_name} cannot have its address on the network {network.name}:"
        f" {exact} {why}",
        hint="write another ipv4_address, or remove that container",
    )
