"""What has done its work, and what has merely ended."""

from __future__ import annotations

import pytest

from core.container import Container
from core.engines.base import Exit
from core.model import Service, ServiceKind
from core.promotion.finishing import has_finished


def script(*, may_finish: bool = True) -> Service:
    container = Container(image="debian", may_finish=may_finish)
    return Service("seed", ".", ServiceKind.WORKER, container=container)


@pytest.mark.parametrize(
    ("service", "ended", "is_served", "wanted"),
    [
        (script(), Exit(0), False, True),
        (script(), Exit(0), True, False),
        (script(), Exit(0, was_asked=True), False, False),
        (script(), Exit(3), False, False),
        (script(), Exit(signal=9), False, False),
        (script(), None, False, False),
        (script(may_finish=False), Exit(0), False, False),
    ],
)
def test_what_has_done_its_work(
    service: Service, ended: Exit | None, is_served: bool, wanted: bool
) -> None:
    assert has_finished(service, ended, is_served=is_served) is wanted
