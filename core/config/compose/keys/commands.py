"""Keys of a service that have forms of their own: commands, dependencies, policies."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Any

from core.config.compose.keys.places import GONE, Wrong
from core.config.compose.keys.quantities import nanoseconds
from core.config.compose.keys.scalars import boolean, name, text, whole, word
from core.config.compose.keys.shapes import Key, Keyed, keyed_list, listed, pairs
from core.config.document import describe, did_you_mean, quote

if TYPE_CHECKING:
    from core.config.compose.keys.places import At

_CONTAINER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]+")
_IMAGE = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._:/@\[\]+-]*[A-Za-z0-9_.-])?")
_PULL = ("always", "never", "missing", "if_not_present", "build", "daily", "weekly")
_RESTART = ("no", "always", "on-failure", "unless-stopped")


def argv(value: Any, at: At) -> list[str] | None:
    """A program and its arguments; one text is split as a shell would."""
    if value is None:
        return None
    if isinstance(value, list):
        found: list[str] = _WORDS(value, at)
        return found
    try:
        return shlex.split(text(value, at))
    except ValueError:
        raise Wrong("has a quote that is not closed", "close it, or write a list") from None


_WORDS = listed(text)


def image(value: Any, at: At) -> str:
    """The name of an image."""
    found = name(value, at)
    if not _IMAGE.fullmatch(found):
        raise Wrong(f"cannot be {quote(found)}", "such as nginx:1.27-alpine")
    return found


def container_name(value: Any, at: At) -> str:
    """A name on the engine; empty, as a variable may leave it, is none."""
    found = text(value, at)
    if found and not _CONTAINER_NAME.fullmatch(found):
        hint = "use letters, digits, _ . and -, at least two of them"
        raise Wrong(f"cannot be {quote(found)}", hint)
    return found


def pull_policy(value: Any, at: At) -> str:
    """When an image is pulled."""
    found = name(value, at)
    if found.startswith("every_") and nanoseconds(found.removeprefix("every_")):
        return found
    if found not in _PULL:
        raise Wrong(f"cannot be {quote(found)}", did_you_mean(found, (*_PULL, "every_12h")))
    return "missing" if found == "if_not_present" else found


def restart(value: Any, _: At) -> str:
    """When a container is started again; `no` without quotes is false to some readers of YAML."""
    if value is False:
        return "no"
    kind, _colon, count = value.partition(":") if isinstance(value, str) else ("", "", "")
    if kind not in _RESTART or (count and (kind != "on-failure" or not count.isdigit())):
        hint = did_you_mean(kind, _RESTART) if kind else None
        one_of = "no, always, unless-stopped, on-failure or on-failure:5"
        raise Wrong(f"must be one of {one_of}, not {describe(value)}", hint)
    return str(value)


def namespace(value: Any, at: At) -> str:
    """A namespace of another's."""
    found = name(value, at)
    if found.startswith("container:"):
        raise Wrong(f"cannot be {quote(found)}", "name a service of this project")
    return found


def volumes_of(value: Any, at: At) -> str:
    """A service, and how its volumes are mounted: `NAME[:ro]`."""
    found = namespace(value, at)
    service, colon, access = found.partition(":")
    if not service or (colon and access not in ("ro", "rw")):
        raise Wrong(f"cannot be {quote(found)}", "write NAME or NAME:ro")
    return found


def network_mode(value: Any, at: At) -> Any:
    """Whose network a service uses."""
    found = namespace(value, at)
    if found in ("bridge", "default"):
        message = f"{at.label}: {quote(found)} is read as the default network of the project"
        at.note(message, "remove it; services find each other by name there")
        return GONE
    if found in ("host", "none") or (found.startswith("service:") and found != "service:"):
        return found
    raise Wrong(f"cannot be {quote(found)}", "use host, none or service:NAME")


def cpu_time(value: Any, at: At) -> str:
    """Microseconds, or a duration, as text of microseconds."""
    length = nanoseconds(value) if isinstance(value, str) and not value.isdigit() else None
    return str(length // 1000 if length else whole(0)(value, at))


DEPENDENCY = Keyed(
    {
        "condition": Key(
            word("service_started", "service_healthy", "service_completed_successfully"),
            "when it is far enough",
        ),
        "required": Key(boolean, "false: it may be missing"),
        "restart": Key(boolean, "replaced after it was replaced"),
    }
)


def _dependency() -> dict[str, Any]:
    return {"condition": "service_started", "required": True}


depends_on = keyed_list(_dependency, DEPENDENCY, may_be_empty=False)

HOOK = Keyed(
    {
        "command": Key(argv, "what is run"),
        "user": Key(text, "who it runs as"),
        "privileged": Key(boolean, "may do what root may"),
        "working_dir": Key(text, "where it starts"),
        "environment": Key(pairs, "further variables"),
        "image": Key(text, "what runs it"),
    },
    required=("command",),
)
