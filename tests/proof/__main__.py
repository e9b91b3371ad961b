"""`make proof`: runs what has not been run on this state of the program, then writes the report.

`python -m tests.proof [--again] [PART ...]`; without a part, all. What has passed is not run again,
unless the program or its tests have changed since; `--again` runs it all the same. `--report` only
writes docs/PROOF.md from what is kept.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import TYPE_CHECKING

from tests.proof.parts import PARTS, Part
from tests.proof.report import write
from tests.proof.results import keep, kept, source_digest
from tests.proof.running import run

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str]) -> int:
    """Runs the parts; the exit code is 1 if one of them has failed."""
    parser = ArgumentParser("python -m tests.proof", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(_named()))
    parser.add_argument("--again", action="store_true", help="also what has passed already")
    parser.add_argument("--report", action="store_true", help="only write docs/PROOF.md")
    options = parser.parse_args(arguments)
    unknown = set(options.parts) - set(_named())
    if unknown:
        parser.error(
            f"there is no part {', '.join(sorted(unknown))}; choose from {', '.join(_named())}"
        )
    wanted = [part for part in PARTS if not options.parts or part.name in options.parts]
    failed = (
        [] if options.report else [each.name for each in wanted if not _holds(each, options.again)]
    )
    write()
    if failed:
        _say(f"did not hold: {', '.join(failed)}; see above, and docs/PROOF.md")
    return 1 if failed else 0


def _named() -> list[str]:
    return [part.name for part in PARTS]


def _holds(part: Part, is_again: bool) -> bool:
    """Whether a part shows what it is to show, now or since it was run last."""
    result = kept(part)
    if not is_again and result and result.has_passed and result.source == source_digest():
        _say(f"{part.name}: holds, run at {result.began_at}")
        return True
    _say(f"{part.name}: {part.title}")
    result = run(part)
    keep(part, result)
    write()
    return result.has_passed


def _say(line: str) -> None:
    sys.stdout.write(f"proof: {line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
