"""How the certificates of domains are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.view import words
from tui.view.looks import FAILED, HEALTHY, IDLE, RETRYING, WORKING, Look

if TYPE_CHECKING:
    from datetime import datetime

    from tui.view.domain import Domain
    from tui.view.glyphs import Glyphs


def domain_look(found: Domain, now: datetime, glyphs: Glyphs) -> Look:
    """How its certificate is."""
    left = words.age(words.seconds(now, found.valid_until)) if found.valid_until else ""
    match found.state:
        case "plain":
            return Look(glyphs.healthy, "in clear, no certificate", IDLE)
        case "ok":
            return Look(glyphs.healthy, f"certificate valid for {left}", HEALTHY)
        case "pending":
            return Look(glyphs.working, "waits for its certificate", WORKING)
        case "expires soon":
            return Look(glyphs.retrying, f"certificate expires in {left}", RETRYING)
        case "expired":
            past = words.ago(found.valid_until, now)
            return Look(glyphs.failed, f"certificate expired {past}", FAILED)
        case "failing" if found.valid_until is None:
            return Look(glyphs.failed, "no certificate", FAILED)
        case "failing":
            return Look(glyphs.retrying, f"not renewed, valid for {left}", RETRYING)
    return Look(glyphs.unknown, found.state, IDLE)


def trouble(found: Domain, now: datetime) -> str | None:
    """Why it has no newer certificate, and when that is tried again."""
    if not found.failure:
        return None
    told = words.reason(found.failure)
    if found.next_try_at is None or found.next_try_at <= now:
        return told
    return f"{told}; tried again in {words.age(words.seconds(now, found.next_try_at))}"
