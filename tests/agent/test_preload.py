from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import core

CORE = Path(core.__file__).parent
PRELOAD = (
    "import sys\nfrom core.agent.preload import preload\npreload()\nprint('\\n'.join(sys.modules))"
)


def imported_late() -> set[str]:
    """The modules of ours that a function of the agent's imports."""
    found = set()
    for path in CORE.rglob("*.py"):
        if {"cli", "examples"} & set(path.relative_to(CORE).parts):
            continue
        tree = ast.parse(path.read_text())
        functions = (each for each in ast.walk(tree) if isinstance(each, ast.FunctionDef))
        imports = (each for function in functions for each in ast.walk(function))
        found |= {each.module or "" for each in imports if isinstance(each, ast.ImportFrom)}
    return {each for each in found if each.startswith("core.")}


def test_nothing_of_ours_is_left_to_be_imported() -> None:
    told = subprocess.run(
        [sys.executable, "-c", PRELOAD], capture_output=True, text=True, check=True, timeout=60
    )
    late = imported_late()
    assert "core.engines.docker.engine" in late
    assert late <= set(told.stdout.splitlines())
