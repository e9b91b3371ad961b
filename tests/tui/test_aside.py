"""Work beside the imports: as if it had been done here."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from core.config.project import load_project
from core.errors import ConfigError
from tui.aside import Aside

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")


def test_a_result_comes_over_whole(tmp_path: Path) -> None:
    (tmp_path / "compartment.yml").write_text("name: shop\nservices:\n  web: .\n")
    assert Aside(lambda: load_project(tmp_path)).result() == load_project(tmp_path)


def test_an_error_comes_over_with_its_hint_and_its_problems(tmp_path: Path) -> None:
    (tmp_path / "compartment.yml").write_text("name: shop\nservices:\n  web: 5\n  api: 6\n")
    with pytest.raises(ConfigError) as here:
        load_project(tmp_path)
    with pytest.raises(ConfigError) as there:
        Aside(lambda: load_project(tmp_path)).result()
    assert there.value.__dict__ == here.value.__dict__
    assert len(there.value.problems) == 2


def test_a_child_that_is_killed_does_no_harm() -> None:
    own = os.getpid()

    def work() -> int:
        if os.getpid() != own:
            os.kill(os.getpid(), signal.SIGKILL)
        return os.getpid()

    assert Aside(work).result() == own


def test_a_child_that_is_interrupted_says_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    own = os.getpid()

    def work() -> int:
        if os.getpid() != own:
            raise KeyboardInterrupt
        return os.getpid()

    assert Aside(work).result() == own
    assert capfd.readouterr() == ("", "")
