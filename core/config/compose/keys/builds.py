"""`build`: how an image is made."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from core.config.compose.keys.files import service_file
from core.config.compose.keys.networks import extra_hosts
from core.config.compose.keys.places import Wrong
from core.config.compose.keys.quantities import size
from core.config.compose.keys.resources import ulimits
from core.config.compose.keys.scalars import anything, boolean, name, text
from core.config.compose.keys.shapes import (
    Key,
    Keyed,
    Tier,
    listed,
    noted,
    pairs,
    settings,
    short_or_long,
    texts,
)
from core.config.compose.paths import absolute
from core.config.document import quote

if TYPE_CHECKING:
    from core.config.compose.keys.places import At

_REMOTE = re.compile(r"(https?|git|ssh|git\+ssh)://|github\.com/|git@")
_NOT_A_FOLDER = re.compile(r"(https?|git|ssh|docker-image|oci-layout)://|(service|target):|git@")


def _context(value: Any, at: At) -> str:
    found = name(value, at)
    if _REMOTE.match(found):
        raise Wrong(f"is not on this machine: {quote(found)}", "clone it, and name the folder")
    return str(absolute(found, at.folder))


def _contexts(value: Any, at: At) -> dict[str, Any]:
    return {
        key: str(absolute(source, at.folder))
        if isinstance(source, str) and not _NOT_A_FOLDER.match(source)
        else source
        for key, source in pairs(value, at).items()
    }


BUILD = Keyed(
    {
        "context": Key(_context, "the folder; one of this machine"),
        "dockerfile": Key(text, "relative to the context"),
        "dockerfile_inline": Key(text, "the Dockerfile itself"),
        "args": Key(pairs, "build arguments; one without a value is taken from the caller"),
        "target": Key(text, "the stage"),
        "labels": Key(settings, "labels of the image"),
        "tags": Key(texts, "further names of the image"),
        "network": Key(text, "the network of RUN"),
        "shm_size": Key(size, "the shared memory of RUN"),
        "extra_hosts": Key(extra_hosts, "/etc/hosts of RUN"),
        "platforms": Key(texts, "one platform, that of the service"),
        "cache_from": Key(texts, "images whose layers may be used"),
        "no_cache": Key(boolean, "build everything again"),
        "pull": Key(boolean, "ask for newer base images"),
        "secrets": Key(listed(service_file), "for RUN --mount=type=secret; needs BuildKit"),
        "additional_contexts": Key(_contexts, "further folders or images; needs BuildKit"),
        "ssh": noted(anything, "builds are given no SSH agent"),
        "cache_to": noted(texts, "layers stay on this machine"),
        "no_cache_filter": noted(texts, "use no_cache"),
        "privileged": noted(boolean, "RUN is not privileged"),
        "entitlements": noted(texts, "RUN has the usual rights"),
        "ulimits": noted(ulimits, "the limits of RUN are the engine's"),
        "provenance": noted(anything, "no attestations are made"),
        "sbom": noted(anything, "no attestations are made"),
        "isolation": Key(text, "it is of Windows only", Tier.REFUSED),
    }
)


def _short(line: str, at: At) -> dict[str, Any]:
    (at / "context").stands_for(at)
    return {"context": _context(line, at)}


build = short_or_long(_short, BUILD)
