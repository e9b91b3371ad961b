"""`extends`: a service is laid over another one, of the same file or of another."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from core.config.compose.layers import Context
from core.config.compose.merging import merged, settled
from core.config.compose.paths import absolute, is_remote
from core.config.compose.tree import child, items
from core.config.document import did_you_mean, quote

if TYPE_CHECKING:
    from core.config.compose.layers import Layer, Layers
    from core.config.compose.tree import Node
    from core.model import Problem

MAX_DEPTH = 50

_Key = tuple[int, str]
"""A service of a layer; layers live as long as what reads them."""


class Extending:
    """Lays services over what they extend, each of them once."""

    def __init__(self, layers: Layers) -> None:
        self._layers = layers
        self._report = layers.report
        self._done: dict[_Key, Node] = {}
        self._depths: dict[_Key, int] = {}
        """How many services are below one that extends."""

    def extended(self, layer: Layer) -> Node:
        """Return what a file says, all of its services with what they extend."""
        services = child(layer.root, "services")
        if services is None or not any(child(each, "extends") for _, each in items(services)):
            return layer.root
        value = {name: self._service(layer, name, {}) for name, _ in items(services)}
        return replace(
            layer.root, value={**layer.root.value, "services": replace(services, value=value)}
        )

    def _service(self, layer: Layer, name: str, above: dict[_Key, str]) -> Node:
        """A service with what it extends; `above` are those that extend it, and their names."""
        key = (id(layer), name)
        if key not in self._done:
            service = child(layer.root, "services", name)
            assert service is not None
            extends = child(service, "extends")
            if extends is not None:
                service = self._over_base(layer, name, extends, {**above, key: name})
            self._done[key] = service
        return self._done[key]

    def _over_base(self, layer: Layer, name: str, extends: Node, above: dict[_Key, str]) -> Node:
        service = child(layer.root, "services", name)
        assert service is not None
        own = {key: each for key, each in service.value.items() if key != "extends"}
        local = replace(service, value=own, mark=None)
        base = self._base(layer, name, extends, above)
        if base is not None:
            self._check_healthcheck(name, base, local)
            problems: list[Problem] = []
            local = merged(base, local, ("services", name), problems)
            self._report.add_problems(problems)
        return replace(local, mark=service.mark, key_place=service.key_place)

    def _base(self, layer: Layer, name: str, extends: Node, above: dict[_Key, str]) -> Node | None:
        """What a service extends, without anything that its file still has to say to others."""
        wanted, file = child(extends, "service"), child(extends, "file")
        if wanted is None:
            return None  # `extends: !reset null`: there is nothing to take back in a file by itself
        source: Layer | None = layer
        if file is not None and isinstance(file.value, str):
            if is_remote(file.value):
                message = "only services in files of this machine can be extended"
                self._report.missing(file.place, message, "copy the file to this project")
                return None
            path = absolute(file.value, layer.context.folder)
            context = Context(path.parent, layer.context.environ)
            source = self._layers.layer(path, context, file.place)
        if source is None:
            return None
        names = [other for other, _ in items(child(source.root, "services"))]
        if wanted.value not in names:
            shown = self._report.shown(source.path)
            message = f"{quote(name)} extends {quote(wanted.value)}, which is not in {shown}"
            hint = did_you_mean(wanted.value, names) if names else None
            self._report.missing(wanted.place, message, hint, service=name)
            return None
        key = (id(source), wanted.value)
        if self._is_endless(key, wanted, name, above):
            return None
        base = self._service(source, wanted.value, above)
        self._depths[id(layer), name] = self._depths.get(key, 0) + 1
        return settled(base, ("services", wanted.value))

    def _is_endless(self, key: _Key, wanted: Node, name: str, above: dict[_Key, str]) -> bool:
        if key in above:
            names = list(above.values())[list(above).index(key) :]
            circle = " -> ".join([*names, str(wanted.value)])
            message = f"services extend each other in a circle: {circle}"
        elif len(above) + self._depths.get(key, 0) >= MAX_DEPTH:
            message = f"services extend each other more than {MAX_DEPTH} levels deep"
        else:
            return False
        self._report.missing(wanted.place, message, service=name)
        return True

    def _check_healthcheck(self, name: str, base: Node, local: Node) -> None:
        """The specification forbids to switch off a check that the base has."""
        switch = child(local, "healthcheck", "disable")
        base_check = child(base, "healthcheck")
        if switch is None or switch.value is not True or base_check is None:
            return
        base_switch = child(base_check, "disable")
        if base_switch is None or base_switch.value is not True:
            message = "a health check that is extended cannot be disabled here"
            hint = "replace it: healthcheck: !override {disable: true}"
            self._report.problem(switch.place, message, hint, service=name)
