"""Makes `outputs/` anew with docker-compose 1.29: `python -m tests.config.compose.agreement.make`.

Debian's package `docker-compose` is that version, the last one that is not the reference
implementation of today: a second opinion on everything that it can read. It asks no engine.
"""

from __future__ import annotations

import subprocess

from tests.config.compose.agreement import PLACE, Example, examples


def output(example: Example) -> str:
    """What docker-compose makes of an example."""
    named = [word for file in example.files for word in ("-f", file)]
    done = subprocess.run(
        ["docker-compose", *named, "config"],
        cwd=example.folder,
        env={"PATH": "/usr/bin:/bin", "HOME": "/root"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, f"{example.name}: {done.stderr}"
    return done.stdout.replace(str(example.folder), PLACE)


if __name__ == "__main__":
    for each in examples():
        each.kept.write_text(output(each))
