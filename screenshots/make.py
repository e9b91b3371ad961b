"""Makes the pictures from real runs of an example; nothing in them is written by hand.

Run by `make shots`: `deploy.svg` is what commands say of a deploy, a new version and a rollback;
`dashboard-*.svg` the screen during a deploy, played from a recording that a test plays, too.
"""

from __future__ import annotations

import asyncio
import io
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from pictures import SIZES, picture, telling_moment
from recording import record
from rich.console import Console
from rich.text import Text

HERE = Path(__file__).parent
EXAMPLE = HERE.parent / "examples" / "multi-service"
RECORDING = HERE.parent / "tests" / "tui" / "recordings" / "deploy.ndjson"
WIDTH = 132


def main() -> None:
    """Writes all of them."""
    commands()
    record(RECORDING)
    asyncio.run(dashboard())


async def dashboard() -> None:
    """Writes what the screen showed in the middle of the recorded deploy."""
    seconds = telling_moment(RECORDING)
    for size in SIZES:
        file = HERE / f"dashboard-{size[0]}x{size[1]}.svg"
        file.write_text(await picture(RECORDING, seconds, size), encoding="utf-8")


def commands() -> None:
    """Runs the commands and writes what they say."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        project = Path(name) / "multi-service"
        shutil.copytree(EXAMPLE, project, ignore=shutil.ignore_patterns("__pycache__"))
        environment = {**os.environ, "COMPARTMENT_HOME": f"{name}/home", "NO_COLOR": "1"}
        console = Console(record=True, width=WIDTH, file=io.StringIO())

        def run(*arguments: str, is_shown: bool = True) -> None:
            done = subprocess.run(
                [sys.executable, "-m", "core.cli.main", *arguments],
                cwd=project,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=True,
            )
            if is_shown:
                console.print(Text(f"$ compartment {' '.join(arguments)}", style="bold green"))
                lines = [line.partition("  curl ")[0] for line in done.stdout.splitlines()]
                console.print(Text("\n".join([*lines, ""])))

        run("agent", "start", "--port", "0", "--internal-port", "0", is_shown=False)
        try:
            run("deploy", is_shown=False)
            (project / "services/web/VERSION").write_text("1.1.0\n")
            (project / "services/backoffice/VERSION").write_text("1.1.0\n")
            run("plan")
            run("deploy")
            run("status")
            run("rollback", "--service", "web")
        finally:
            run("down", is_shown=False)
            run("agent", "stop", is_shown=False)
        console.save_svg(str(HERE / "deploy.svg"), title="compartment")


if __name__ == "__main__":
    main()
