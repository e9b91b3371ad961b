"""What the program made on an engine: found by its labels, and removed."""

from __future__ import annotations

from contextlib import suppress

import docker
import docker.errors

from core.engines.docker.labels import HOME


def found(client: docker.APIClient, home: str | None = None) -> list[str]:
    """What there is, of one home folder or of all, as lines to read."""
    wanted = _filter(home)
    containers = client.containers(all=True, filters=wanted)
    networks = client.networks(filters=wanted)
    images = client.images(filters=wanted)
    volumes = client.volumes(filters=wanted)["Volumes"] or ()
    return [
        *(f"container {each['Names'][0].lstrip('/')} ({each['Status']})" for each in containers),
        *(f"network {each['Name']}" for each in networks),
        *(f"volume {each['Name']}" for each in volumes),
        *(f"image {' '.join(each['RepoTags'] or ['without a name'])}" for each in images),
    ]


def remove(client: docker.APIClient, home: str | None = None) -> None:
    """Removes it all, of one home folder or of all."""
    wanted = _filter(home)
    for container in client.containers(all=True, filters=wanted):
        with suppress(docker.errors.NotFound):
            client.remove_container(container["Id"], force=True, v=True)
    for network in client.networks(filters=wanted):
        with suppress(docker.errors.NotFound):
            client.remove_network(network["Id"])
    for volume in client.volumes(filters=wanted)["Volumes"] or ():
        with suppress(docker.errors.NotFound):
            client.remove_volume(volume["Name"])
    for image in client.images(filters=wanted):
        with suppress(docker.errors.NotFound):
            client.remove_image(image["Id"], force=True)


def _filter(home: str | None) -> dict[str, str]:
    return {"label": HOME if home is None else f"{HOME}={home}"}
