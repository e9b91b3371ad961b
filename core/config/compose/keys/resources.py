"""Limits, devices, and what else of the machine a container is given."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from core.config.compose.keys.places import GONE, Wrong, read
from core.config.compose.keys.quantities import size
from core.config.compose.keys.scalars import name, text, whole
from core.config.compose.keys.shapes import Key, Keyed, listed, settings, short_or_long, texts
from core.config.document import describe, did_you_mean, quote

if TYPE_CHECKING:
    from core.config.compose.keys.places import At

_ULIMITS = ("core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue", "nice", "nofile",
            "nproc", "rss", "rtprio", "rttime", "sigpending", "stack")  # fmt: skip
_RIGHTS = re.compile(r"[rwm]{1,3}")

ULIMIT = Keyed(
    {
        "soft": Key(whole(-1), "what counts; -1 is none"),
        "hard": Key(whole(-1), "how far it may be raised; -1 is none"),
    },
    required=("soft", "hard"),
)


def ulimits(value: Any, at: At) -> dict[str, Any]:
    """Limits by name: one number for both, or soft and hard."""
    if not isinstance(value, dict):
        raise Wrong(f"must be a mapping, not {describe(value)}", "such as nofile: 65536")
    found: dict[str, Any] = {}
    for key, inner in value.items():
        if key not in _ULIMITS:
            message = f"{quote(key)} is no limit"
            (at / key).problem(message, did_you_mean(key, _ULIMITS), at_key=True)
            continue
        result = read(_ulimit, inner, at / key)
        if result is not GONE:
            found[key] = result
    return found


def _ulimit(value: Any, at: At) -> Any:
    return ULIMIT(value, at) if isinstance(value, dict) else whole(-1)(value, at)


def _short_device(line: str, _: At) -> dict[str, str]:
    parts = line.split(":")
    if not 1 <= len(parts) <= 3 or not parts[0]:
        raise Wrong(f"cannot be {quote(line)}", "such as /dev/ttyUSB0:/dev/ttyUSB0:rwm")
    if len(parts) == 2 and _RIGHTS.fullmatch(parts[1]):
        parts.insert(1, parts[0])
    implied = (parts[0], "rwm")
    source, target, rights = (*parts, *implied[len(parts) - 1 :])
    return {"source": source, "target": target or source, "permissions": rights}


DEVICE = Keyed(
    {
        "source": Key(name, "a device of this machine"),
        "target": Key(name, "its path in the container"),
        "permissions": Key(name, "some of r, w and m"),
    },
    required=("source",),
)


def _long_device(value: Any, at: At) -> dict[str, Any]:
    found = DEVICE(value, at)
    return {"target": found.get("source"), "permissions": "rwm", **found}


devices = listed(short_or_long(_short_device, _long_device))


def _count(value: Any, at: At) -> int:
    return -1 if value == "all" else whole(-1)(value, at)


REQUEST = Keyed(
    {
        "capabilities": Key(texts, "what it has to be able to, such as gpu"),
        "driver": Key(name, "such as nvidia"),
        "count": Key(_count, "how many; all is -1"),
        "device_ids": Key(texts, "which ones"),
        "options": Key(settings, "options for the driver"),
    }
)


def gpus(value: Any, at: At) -> list[dict[str, Any]]:
    """Which GPUs: all, or a list as in `deploy.resources.reservations.devices`."""
    if value == "all":
        return [{"count": -1}]
    found: list[dict[str, Any]] = listed(REQUEST)(value, at)
    return found


_RATE = {"path": Key(name, "a device of this machine")}
_BYTES = listed(Keyed({**_RATE, "rate": Key(size, "bytes a second")}, required=("path", "rate")))
_COUNT = listed(
    Keyed({**_RATE, "rate": Key(whole(0), "operations a second")}, required=("path", "rate"))
)
_WEIGHT = listed(
    Keyed({**_RATE, "weight": Key(whole(10, 1000), "its share")}, required=("path", "weight"))
)
BLKIO = Keyed(
    {
        "weight": Key(whole(10, 1000), "its share"),
        "weight_device": Key(_WEIGHT, "its share of a device"),
        "device_read_bps": Key(_BYTES, "how fast it may read"),
        "device_write_bps": Key(_BYTES, "how fast it may write"),
        "device_read_iops": Key(_COUNT, "how often it may read"),
        "device_write_iops": Key(_COUNT, "how often it may write"),
    }
)

LOGGING = Keyed(
    {
        "driver": Key(text, "who keeps the log"),
        "options": Key(settings, "options for the driver, such as max-size"),
    }
)
