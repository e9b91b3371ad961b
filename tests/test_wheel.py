"""The wheel alone is the whole program: no file of the checkout is needed beside it."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("core", "tui", "styles")

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


@dataclass(frozen=True)
class Installed:
    """A virtual environment that holds the wheel and what it depends on, but not the checkout."""

    folder: Path

    @property
    def site_packages(self) -> Path:
        name = f"python{sys.version_info.major}.{sys.version_info.minor}"
        return self.folder / "lib" / name / "site-packages"

    def run(self, program: str, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.folder / "bin" / program, *arguments],
            capture_output=True,
            text=True,
            cwd=cwd,
            timeout=30,
            check=False,
        )


def run_python(*arguments: str | Path) -> None:
    done = subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    folder = tmp_path_factory.mktemp("wheel")
    run_python("-m", "hatchling", "build", "-t", "wheel", "-d", folder / "dist")
    (wheel,) = (folder / "dist").glob("*.whl")
    environment = Installed(folder / "venv")
    run_python("-m", "venv", "--without-pip", environment.folder)
    python = environment.folder / "bin" / "python"
    run_python(
        "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", "--no-index", wheel
    )
    # Added after the install, or pip would take the checkout's entry there for the program itself.
    # Path files in that folder are not read from here, which keeps the checkout out of reach.
    (environment.site_packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    return environment


@pytest.mark.parametrize("program", ["compartment", "compartment-tui"])
def test_both_programs_start(installed: Installed, tmp_path: Path, program: str) -> None:
    done = installed.run(program, "--help", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert program in done.stdout


@pytest.mark.parametrize("package", PACKAGES)
def test_packages_come_from_the_wheel(installed: Installed, tmp_path: Path, package: str) -> None:
    program = (
        f"import importlib.util as u; print(*u.find_spec({package!r}).submodule_search_locations)"
    )
    done = installed.run("python", "-c", program, cwd=tmp_path)
    assert done.stdout.strip() == os.fspath(installed.site_packages / package), done.stderr


def test_every_file_of_the_packages_and_the_examples_is_in_it(installed: Installed) -> None:
    for name in (*PACKAGES, "examples"):
        target = installed.site_packages / ("core/examples" if name == "examples" else name)
        missing = [file for file in files_below(ROOT / name) if not (target / file).is_file()]
        assert not missing, (name, missing)


def files_below(folder: Path) -> list[Path]:
    files = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return [file for file in files if "__pycache__" not in file.parts]


def test_a_shipped_example_validates(installed: Installed) -> None:
    example = installed.site_packages / "core" / "examples" / "multi-service"
    done = installed.run("compartment", "validate", cwd=example)
    assert done.returncode == 0, done.stdout + done.stderr
