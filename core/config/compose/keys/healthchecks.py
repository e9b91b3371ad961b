"""`healthcheck`: when a container is well."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.config.compose.keys.places import Wrong
from core.config.compose.keys.quantities import duration, nanoseconds
from core.config.compose.keys.scalars import boolean, text, whole
from core.config.compose.keys.shapes import Key, Keyed
from core.config.document import describe, quote

if TYPE_CHECKING:
    from core.config.compose.keys.places import At

_FORMS = 'write ["CMD", "program", ...], ["CMD-SHELL", "line"], ["NONE"] or a line for the shell'


def test(value: Any, at: At) -> list[str] | None:
    """What is run: a line for the shell, or a list that says how."""
    if value is None:
        return None
    if isinstance(value, str):
        if not value:
            raise Wrong("must not be empty", _FORMS)
        return ["CMD-SHELL", value]
    if not isinstance(value, list):
        raise Wrong(f"must be text or a list, not {describe(value)}", _FORMS)
    words = [text(each, at / index) for index, each in enumerate(value)]
    kind = words[0] if words else ""
    if kind not in ("CMD", "CMD-SHELL", "NONE"):
        raise Wrong(f"begins with {quote(kind)}" if kind else "must not be empty", _FORMS)
    if kind == "CMD" and len(words) == 1:
        raise Wrong("names no program", _FORMS)
    if kind == "CMD-SHELL" and len(words) != 2:
        raise Wrong(f"has {len(words) - 1} lines for the shell", "it takes one: put it in quotes")
    return words


HEALTHCHECK = Keyed(
    {
        "test": Key(test, "run in the container; exit code 0 is well", may_be_empty=True),
        "interval": Key(duration, "how often, once it is live"),
        "timeout": Key(duration, "how long one may take"),
        "retries": Key(whole(0), "how many failures in a row are too many"),
        "start_period": Key(duration, "how long failures do not count at first"),
        "start_interval": Key(duration, "how often during start_period"),
        "disable": Key(boolean, "true: without a check, also that of the image"),
    }
)


def healthcheck(value: Any, at: At) -> dict[str, Any]:
    """A health check; what it says fits together."""
    found = HEALTHCHECK(value, at)
    for key in ("interval", "timeout"):
        length = found.get(key)
        if isinstance(length, str) and 0 < (nanoseconds(length) or 0) < 10**6:
            (at / key).problem(f"{(at / key).label} is shorter than 1ms", "such as 10s")
    return found
