from __future__ import annotations

import pytest

from tests.figures import Figure, FiguresRecorder, figures_of

pytest_plugins = ["pytester"]

SUITE = """
from tests.figures import FiguresRecorder
import pytest

@pytest.fixture
def figures(request):
    return FiguresRecorder(request.node.user_properties)

def test_measures(figures):
    figures("route switch", 5.25, "ms", 20)

def test_measures_and_fails(figures):
    figures("lost", 3, "requests", 0)
    assert False

@pytest.mark.parametrize("engine", ["docker", "process"])
@pytest.mark.parametrize("kind", ["odd-one"])
def test_on_both(figures, kind, engine):
    figures("took", {"docker": 2, "process": 1}[engine], "s", 1.5)
    if engine == "docker":
        figures("only there", 7, "ms")
"""


@pytest.mark.parametrize("arguments", [["-p", "no:xdist"], ["-n", "1"]], ids=["serial", "parallel"])
def test_the_summary_prints_figures_of_passed_and_failed_tests(
    pytester: pytest.Pytester, arguments: list[str]
) -> None:
    pytester.makepyfile(SUITE)
    pytester.makeconftest(
        "from tests.figures import FiguresSummary\n"
        "def pytest_configure(config):\n"
        "    config.pluginmanager.register(FiguresSummary())\n"
    )
    result = pytester.runpytest_subprocess(*arguments)
    result.assert_outcomes(passed=3, failed=1)
    result.stdout.fnmatch_lines(["*= figures =*"])
    result.stdout.fnmatch_lines(["  route switch * 5.25 ms * within the goal of 20 ms"])
    result.stdout.fnmatch_lines(["  lost * 3 requests * OVER the goal of 0 requests"])
    result.stdout.fnmatch_lines(
        [
            "*::test_on_both[[]odd-one]",
            "   * process       docker",
            "  took *      1            2 s * OVER the goal of 1.5 s",
            "  only there              * 7 ms",
        ],
        consecutive=True,
    )


def test_a_figure_without_a_goal_is_only_printed() -> None:
    assert "goal" not in str(Figure("requests", 12_000, "1/s"))


def test_figures_come_back_from_a_report_and_other_properties_do_not() -> None:
    properties: list[tuple[str, object]] = [("other", 1)]
    FiguresRecorder(properties)("overhead", 0.2, "s", 0.3)
    assert figures_of(properties) == [Figure("overhead", 0.2, "s", 0.3)]
