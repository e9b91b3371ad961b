"""The report says what was shown, and plainly what was not."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tests.figures import Figure
from tests.proof import report, results
from tests.proof.evidence import Series, SeriesRecorder, series_of
from tests.proof.parts import PARTS, Part
from tests.proof.results import Result, Shown, keep, kept

if TYPE_CHECKING:
    import pytest

HERE = "tests/proof/test_report.py"
DONE = Part("done", "What was done", (HERE,))
NOT_DONE = Part("not-done", "What was not", (HERE,))


def shown(name: str, outcome: str, *figures: Figure) -> Shown:
    return Shown(f"{HERE}::{name}", outcome, 1.0, figures, ())


def result(*tests: Shown, is_interrupted: bool = False) -> Result:
    exit_code = 2 if is_interrupted else int(any(each.outcome == "failed" for each in tests))
    said = ("1234567", "a machine", "2030-01-01", 2.0, "python -m x")
    return Result("done", "abc", *said, exit_code, tests)


def written(monkeypatch: pytest.MonkeyPatch, folder: Path, *tests: Shown) -> str:
    monkeypatch.setattr(results, "FOLDER", folder)
    monkeypatch.setattr(report, "REPORT", folder / "PROOF.md")
    monkeypatch.setattr(report, "PARTS", (DONE, NOT_DONE))
    keep(DONE, result(*tests))
    report.write()
    return (folder / "PROOF.md").read_text()


def test_figures_stand_with_their_goals(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    text = written(
        monkeypatch,
        tmp_path,
        shown("test_a[process]", "passed", Figure("lost", 0, "requests", 0)),
        shown("test_d[process]", "passed", Figure("lost", 0, "requests", 0)),
        shown("test_d", "passed", Figure("switch", 4.25, "ms", 10)),
        shown("test_a[docker]", "passed", Figure("lost", 2, "requests", 0)),
        shown("test_b[docker]", "passed", Figure("lost", 0, "requests", 0)),
        shown("test_b", "passed", Figure("requests sent", 300, "requests")),
        shown("test_c", "passed", Figure("requests sent", 200, "requests")),
    )
    assert "Beside these, 2 figures that are to be 0, such as requests lost, are 0." in text
    assert "| lost (docker) | 2 | 2 requests | 0 requests | **missed** |" in text
    assert "| requests sent |  |  | 500 requests |" in text
    assert text.index("**missed**") < text.index("| switch | 1 | 4.25 ms | 10 ms | reached |")
    assert "The report says what was shown" in text
    assert "not been run: not-done" in text
    assert "Failed" not in text


def test_what_several_tests_have_counted_is_added_up(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    text = written(
        monkeypatch,
        tmp_path,
        shown("test_a[process]", "passed", Figure("sent", 170_000, "requests")),
        shown("test_b[process]", "passed", Figure("sent", 330_001, "requests")),
        shown("test_a[docker]", "passed", Figure("sent", 500_000, "requests")),
        shown("test_c[process]", "passed", Figure("alone", 7, "requests")),
        shown("test_c[docker]", "passed", Figure("alone", 7, "requests")),
    )
    in_all, _ = text.split("## Goals")
    assert "| | process | docker |" in in_all
    assert "| sent | 500,001 requests | 500,000 requests |" in in_all
    assert "alone" not in in_all


def test_large_figures_are_written_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    text = written(
        monkeypatch,
        tmp_path,
        shown("test_a", "passed", Figure("throughput", 27_946.3, "/s")),
        shown("test_b", "passed", Figure("ratio", 0.81234, "", 1)),
    )
    assert "| throughput | 27,946 /s |" in text
    assert "| ratio | 1 | 0.8123 | 1 | reached |" in text


def test_a_file_is_explained_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    written(monkeypatch, tmp_path, shown("test_a", "passed"))
    keep(NOT_DONE, result(shown("test_a", "passed")))
    report.write()
    assert (tmp_path / "PROOF.md").read_text().count("The report says what was shown") == 1


def test_a_failure_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    text = written(monkeypatch, tmp_path, shown("test_a", "failed"))
    assert f"**Failed:**\n* `{HERE}::test_a`" in text
    found = kept(DONE)
    assert found is not None
    assert not found.has_passed


def test_what_was_interrupted_has_not_passed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    text = written(monkeypatch, tmp_path, shown("test_a", "passed"))
    assert "**Not run to its end.**" not in text
    keep(DONE, result(shown("test_a", "passed"), is_interrupted=True))
    report.write()
    assert "**Not run to its end.**" in (tmp_path / "PROOF.md").read_text()
    found = kept(DONE)
    assert found is not None
    assert not found.has_passed


def test_what_cannot_be_read_was_not_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(results, "FOLDER", tmp_path)
    (tmp_path / "done.json").write_text("{}")
    assert kept(DONE) is None


def test_nothing_has_passed_where_no_test_was(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(results, "FOLDER", tmp_path)
    assert kept(DONE) is None
    assert not result().has_passed


def test_series_travel_as_plain_values() -> None:
    properties: list[tuple[str, object]] = []
    SeriesRecorder(properties)("load", "requests per second", "s", [(0, 5), (1, 6)], [0.5])
    assert series_of(properties) == [
        Series("load", "requests per second", "s", (0, 1), (5, 6), (0.5,))
    ]


def test_every_proof_is_in_a_part() -> None:
    named = {test.partition("::")[0] for part in PARTS for test in part.tests}
    there = {f"tests/proof/{path.name}" for path in Path(__file__).parent.glob("test_*.py")}
    assert there - {HERE} <= named
    assert all((results.ROOT / name).exists() for name in named if name.startswith("tests/"))
