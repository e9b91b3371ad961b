"""A large project is read quickly."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.config.compose.loading import load_compose
from core.config.compose.options import ComposeOptions
from tests.config.compose.large import SERVICES, large_file
from tests.quickness import quickest

if TYPE_CHECKING:
    from pathlib import Path

LIMIT_S = 0.3
"""Of processor time, so that what else runs does not count: a `plan` has 1 s for everything."""


def test_a_project_of_57_services_is_read_within_its_time(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text(large_file())
    loaded = load_compose(tmp_path, ComposeOptions())
    assert len(loaded.model["services"]) == SERVICES
    assert loaded.model["services"]["worker-7"]["environment"]["QUEUE"] == "7"
    assert quickest(lambda: load_compose(tmp_path, ComposeOptions())) < LIMIT_S
