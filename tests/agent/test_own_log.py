from __future__ import annotations

import io
import logging
from typing import TYPE_CHECKING

from core.agent.own_log import hide_secrets
from core.secrets import Mask

if TYPE_CHECKING:
    import pytest


def test_no_traceback_in_the_log_quotes_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.StringIO()
    log = logging.getLogger("core.test")
    handler = logging.StreamHandler(written)
    monkeypatch.setattr(logging.getLogger(), "handlers", [handler])
    mask = Mask()
    hide_secrets(mask)
    mask.add(["hunter22"])
    try:
        raise ValueError("cannot use hunter22")  # noqa: TRY301 - the traceback is the point
    except ValueError:
        log.exception("with %s", "hunter22")
    assert "hunter22" not in written.getvalue()
    assert "ERROR with ***\nTraceback" in written.getvalue()
    assert "ValueError: cannot use ***" in written.getvalue()
