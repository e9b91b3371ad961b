from __future__ import annotations

from typing import Any

import pytest

from tests.tui.screens.replies import HOSTILE, event
from tui.view.glyphs import ASCII, UNICODE, Glyphs
from tui.view.happenings import Severity, line, severity


@pytest.mark.parametrize(
    ("type_", "facts", "expected"),
    [
        ("RunQueued", {}, Severity.INFO),
        ("RunFinished", {"status": "succeeded", "cutRequests": 0}, Severity.INFO),
        ("RunFinished", {"status": "succeeded", "cutRequests": 2}, Severity.WARNING),
        ("RunFinished", {"status": "failed", "failureCode": "run_failed"}, Severity.FAILURE),
        ("RunFinished", {"status": "failed", "failureCode": "cancelled"}, Severity.WARNING),
        ("DeploymentFailed", {"failureMessage": "no 2xx"}, Severity.FAILURE),
        ("DeploymentFailed", {"failureMessage": "not switched: cancelled"}, Severity.WARNING),
        ("HealthChanged", {"health": "unhealthy"}, Severity.FAILURE),
        ("HealthChanged", {"health": "healthy"}, Severity.INFO),
        ("PreviousDrained", {"requestsCut": 1}, Severity.WARNING),
        ("PreviousDrained", {"requestsCut": 0}, Severity.INFO),
        ("WarningGiven", {}, Severity.WARNING),
        ("GatewayRestarted", {}, Severity.WARNING),
        ("AutomaticRollback", {}, Severity.FAILURE),
        ("CertificateFailed", {}, Severity.FAILURE),
        ("CertificateExpiring", {}, Severity.WARNING),
        ("CertificateRenewed", {}, Severity.INFO),
        ("SomethingNew", {}, Severity.INFO),
    ],
)
def test_severity(type_: str, facts: dict[str, Any], expected: Severity) -> None:
    assert severity(event(type_, 0, "x", **facts)) is expected


@pytest.mark.parametrize("glyphs", [UNICODE, ASCII])
def test_a_line_has_time_sign_service_and_message(glyphs: Glyphs) -> None:
    found = line(event("HealthChanged", 0, "it is ill", serviceName="web", health="unhealthy"),
                 glyphs, 6)  # fmt: skip
    clock, sign, service, *message = found.plain.split()
    assert clock.count(":") == 2
    assert (sign, service, message) == (glyphs.failed, "web", ["it", "is", "ill"])


def test_messages_stand_under_each_other_whatever_the_service() -> None:
    names = [None, "web", "a-very-long-name", "日本語のサービス"]
    found = [line(event("RunQueued", 0, "HERE", serviceName=name), UNICODE, 6) for name in names]
    assert len({each[: each.plain.index("HERE")].cell_length for each in found}) == 1


@pytest.mark.parametrize("text", HOSTILE)
def test_any_message_stays_text(text: str) -> None:
    assert text in line(event("WarningGiven", 0, text), UNICODE, 4).plain


@pytest.mark.parametrize(
    ("status", "found"),
    [
        ("succeeded", Severity.INFO),
        ("cancelled", Severity.INFO),
        ("skipped", Severity.WARNING),
        ("missed", Severity.WARNING),
        ("failed", Severity.FAILURE),
    ],
)
def test_an_execution_is_as_serious_as_its_end(status: str, found: Severity) -> None:
    ended = event("ExecutionEnded", 0, "it ended", execution={"status": status})
    assert severity(ended) is found
    assert severity(event("ExecutionStarted", 0, "it began", execution={"status": "running"})) is (
        Severity.INFO
    )
