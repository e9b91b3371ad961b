"""The names that variables may have: section 4.3 of the specification, wherever one is given."""

from __future__ import annotations

import pytest

from core.config.dotenv import read_variables
from core.errors import ConfigError
from tests.config.checks import descriptor_problems

ALLOWED = [
    pytest.param("A", id="a capital"),
    pytest.param("a", id="a small letter"),
    pytest.param("_", id="an underscore"),
    pytest.param("_1", id="a digit after the first"),
    pytest.param("aB_9", id="letters, digits, underscores"),
    pytest.param("A" * 300, id="of any length"),
    pytest.param("PORT", id="what is injected unless it is set"),
    pytest.param("compartment_x", id="the reserved prefix in another case"),
    pytest.param("COMPARTMENT", id="less than the reserved prefix"),
    pytest.param("XCOMPARTMENT_X", id="the reserved prefix inside"),
]
REFUSED = [
    pytest.param("1A", id="a digit at first"),
    pytest.param("A.B", id="a dot"),
    pytest.param("A-B", id="a hyphen"),
    pytest.param("A B", id="a space"),
    pytest.param("Ä", id="a letter outside ASCII"),
    pytest.param("٣", id="a digit outside ASCII"),
    pytest.param("A\u200b", id="nothing that can be seen"),
    pytest.param("COMPARTMENT_", id="the reserved prefix alone"),
    pytest.param("COMPARTMENT_X", id="the reserved prefix"),
]


@pytest.mark.parametrize("key", ALLOWED)
def test_allowed(key: str) -> None:
    assert read_variables(f"{key}=1\n", ".env", {}) == ({key: "1"}, ())
    assert build_env_problems(key) == []


@pytest.mark.parametrize("key", REFUSED)
def test_refused(key: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_variables(f"{key}=1\n", ".env", {})

    assert [problem.line for problem in caught.value.problems] == [1]
    assert len(build_env_problems(key)) == 1


@pytest.mark.parametrize("value", ["", " ", "=", "a\nb", "x" * 100_000, "日本"])
def test_a_value_may_be_any_text(value: str) -> None:
    assert read_variables(f"A='{value}'\n", ".env", {}) == ({"A": value}, ())


def build_env_problems(key: str) -> list[str]:
    service = f'{{path: ., build: {{env: ["{key}"]}}}}'
    return descriptor_problems(f"name: shop\nservices: {{web: {service}}}\n")
