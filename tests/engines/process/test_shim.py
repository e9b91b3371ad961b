from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import core.engines.process.engine as engine_module

if TYPE_CHECKING:
    from tests.figures import FiguresRecorder

SHIM = Path(engine_module.__file__).with_name("shim.py")
ROUNDS = 5


def test_it_starts_quickly(tmp_path: Path, figures: FiguresRecorder) -> None:
    """As a script, in isolation, from whatever folder: the service says when it was started."""
    spec = {
        "argv": ["/bin/sh", "-c", "exec date +%s.%N >>started"],
        "cwd": str(tmp_path),
        "log": str(tmp_path / "log"),
        "socket": str(tmp_path / "s"),
        "record": str(tmp_path / "exit.json"),
        "restart": {"policy": "no", "maxRetries": None},
        "graceMs": 1000,
    }
    (tmp_path / "spec.json").write_text(json.dumps(spec))
    private = json.dumps({"environment": {"PATH": os.environ["PATH"]}, "secrets": []}).encode()
    command = [sys.executable, "-I", "-S", str(SHIM), str(tmp_path / "spec.json")]
    began = []
    for _ in range(ROUNDS):
        began.append(time.time())
        subprocess.run(command, input=private, check=True, cwd="/", timeout=15)
    started = map(float, (tmp_path / "started").read_text().split())
    spans_s = [at - before for before, at in zip(began, started, strict=True)]
    assert json.loads((tmp_path / "exit.json").read_text())["code"] == 0
    median_s = statistics.median(spans_s)
    figures("from the start of a shim to its service's", median_s * 1000, "ms", 100)
    assert median_s < 0.3
