"""`volumes` of a service: short forms, and paths made absolute."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Any

from core.config.compose.keys.places import Wrong
from core.config.compose.keys.quantities import size
from core.config.compose.keys.scalars import boolean, name, text, word
from core.config.compose.keys.shapes import Key, Keyed, Tier, listed, noted, settings, short_or_long
from core.config.compose.paths import absolute
from core.config.document import describe, quote

if TYPE_CHECKING:
    from core.config.compose.keys.places import At

_WINDOWS = re.compile(r"[A-Za-z]:\\|\\\\")
# `a:/data` alone is a volume with a short name.
_WINDOWS_MOUNT = re.compile(rf"{_WINDOWS.pattern}|[A-Za-z]:/[^:]*:/")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_PROPAGATION = ("private", "rprivate", "shared", "rshared", "slave", "rslave")
_CONSISTENCY = ("consistent", "cached", "delegated")


def host_path(value: Any, at: At) -> str:
    """A path of this machine."""
    found = name(value, at)
    if _WINDOWS.match(found):
        raise Wrong(f"is the Windows path {quote(found)}", "use a path of this machine")
    return str(absolute(found, at.folder))


def short_mount(line: str, at: At) -> dict[str, Any]:
    """`[source:]target[:options]` in its long form."""
    if _WINDOWS_MOUNT.match(line):
        raise Wrong(f"is the Windows path {quote(line)}", "use a path of this machine")
    parts = _split(line)
    if not all(parts) or len(parts) > 3:
        raise Wrong(f"cannot be {quote(line)}", "such as data:/data or ./folder:/data:ro")
    source, target = (None, parts[0]) if len(parts) == 1 else (parts[0], parts[1])
    options = parts[2].split(",") if len(parts) == 3 else []
    mount: dict[str, Any] = {"target": _target(target, at)}
    if source is None:
        mount.update(type="volume", volume={})
    elif source[0] in "./~":
        bind: dict[str, Any] = {"create_host_path": True}
        mount.update(type="bind", source=str(absolute(source, at.folder)), bind=bind)
    else:
        _check_volume(source)
        mount.update(type="volume", source=source, volume={})
    for option in options:
        _take_option(mount, option, at)
    return mount


def _split(line: str) -> list[str]:
    """The parts between colons, except those inside `${...}`, which a variable can bring along."""
    parts, depth = [""], 0
    for index, char in enumerate(line):
        if char == "{" and line[index - 1 : index] == "$":
            depth += 1
        elif char == "}" and depth:
            depth -= 1
        if char == ":" and not depth:
            parts.append("")
        else:
            parts[-1] += char
    return parts


def _check_volume(source: str) -> None:
    if "/" in source or "\\" in source:
        hint = f"a folder is written ./{source}"
        raise Wrong(f"has {quote(source)}, which cannot be the name of a volume", hint)
    if not _NAME.fullmatch(source):
        hint = "use letters, digits, _ . and -"
        raise Wrong(f"has {quote(source)}, which cannot be the name of a volume", hint)


def _take_option(mount: dict[str, Any], option: str, at: At) -> None:
    is_bind = mount["type"] == "bind"
    if option in ("ro", "rw"):
        mount.update(read_only=True) if option == "ro" else None
    elif option == "nocopy" and not is_bind:
        mount["volume"]["nocopy"] = True
    elif option in ("z", "Z"):
        mount.setdefault("bind", {})["selinux"] = option
    elif option in _PROPAGATION and is_bind:
        mount["bind"]["propagation"] = option
    elif option in _CONSISTENCY:
        pass  # Of Docker Desktop only; it changes nothing on Linux, there neither.
    else:
        hint = f"known: ro, rw, z, Z, nocopy, {', '.join(_PROPAGATION)}"
        at.note(f"{at.label}: the option {quote(option)} does nothing here", hint)


def _target(value: Any, at: At) -> str:
    found = name(value, at)
    if not found.startswith("/"):
        message = f"has the target {quote(found)}, which is no absolute path"
        raise Wrong(message, "inside of the container, such as /data")
    return "/" + posixpath.normpath(found).lstrip("/")


def mode(value: Any, _: At) -> int:
    """The rights of a file: octal as text, a number as it is."""
    if isinstance(value, str) and re.fullmatch(r"(0o?)?[0-7]{1,4}", value):
        return int(value.removeprefix("0o"), 8)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 0o7777:
        return value
    raise Wrong(f"must be the rights of a file, not {describe(value)}", "such as 0440")


def _recursive(value: Any, at: At) -> str:
    found: str = _RECURSIVE(value, at)
    if found in ("writable", "readonly"):
        at.note(f"{at.label}: {found} does nothing here", "use enabled or disabled")
    return found


_RECURSIVE = word("enabled", "disabled", "writable", "readonly")
BIND = Keyed(
    {
        "create_host_path": Key(boolean, "false: an error where the source is missing"),
        "propagation": Key(word(*_PROPAGATION), "how mounts below it are passed on"),
        "recursive": Key(_recursive, "disabled: without what is mounted below it"),
        "selinux": Key(word("z", "Z"), "labels it for the container"),
    }
)
MOUNTED_VOLUME = Keyed(
    {
        "nocopy": Key(boolean, "an empty volume is not filled from the image"),
        "subpath": Key(name, "a folder of it"),
        "labels": Key(settings, "of a volume that is made for it"),
    }
)
TMPFS = Keyed(
    {
        "size": Key(size, "how much it holds"),
        "mode": Key(mode, "its rights"),
    }
)


def _source(value: Any, at: At) -> str:
    """A path or a name, which the type decides afterwards."""
    found = name(value, at)
    if _WINDOWS.match(found):
        raise Wrong(f"is the Windows path {quote(found)}", "use a path of this machine")
    return found


MOUNT = Keyed(
    {
        "type": Key(
            word("volume", "bind", "tmpfs"),
            "volume, bind or tmpfs; image, cluster and npipe are refused",
        ),
        "source": Key(_source, "the name of a volume, or a path of this machine"),
        "target": Key(_target, "an absolute path in the container"),
        "read_only": Key(boolean, "the container cannot write to it"),
        "consistency": noted(text, "it means nothing on Linux"),
        "bind": Key(BIND, "options of a bind mount"),
        "volume": Key(MOUNTED_VOLUME, "options of a volume"),
        "tmpfs": Key(TMPFS, "options of a tmpfs"),
        "image": Key(text, "put what you need into the image of the service", Tier.REFUSED),
    },
    required=("type", "target"),
)


def _long_mount(value: Any, at: At) -> dict[str, Any]:
    mount = MOUNT(value, at)
    kind, source = mount.get("type"), mount.get("source")
    if kind == "bind":
        if "source" not in value:
            at.problem(f"{at.label} is a bind mount without a source", "name a path")
        elif isinstance(source, str):
            mount["source"] = str(absolute(source, at.folder))
        mount.setdefault("bind", {})
    elif kind == "tmpfs" and source is not None:
        (at / "source").problem("a tmpfs has no source", "remove it")
    elif kind == "volume" and isinstance(source, str):
        _check_volume(source)
    return mount


mounts = listed(short_or_long(short_mount, _long_mount))
