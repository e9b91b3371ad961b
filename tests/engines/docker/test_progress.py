from __future__ import annotations

import pytest

from core.engines.docker.failures import Failure
from core.engines.docker.instructions import bases, instructions
from core.engines.docker.plain import Plain
from core.engines.docker.progress import Progress

DOCKERFILE = """\
FROM debian:bookworm-slim
ARG TOKEN
RUN echo $TOKEN \\
    && make
COPY missing /x
"""
KNOWN = list(instructions(DOCKERFILE))
IMAGES = bases(DOCKERFILE, {})


def _heard(*streams: str) -> list[str]:
    said = list[str]()
    progress = Progress(2, said.append)
    for text in streams:
        progress.hear({"stream": text})
    progress.end()
    return said


def test_steps_and_their_output_are_said() -> None:
    assert _heard(
        "Step 1/4 : FROM a", "\n", " ---> 0123456789ab\n",
        'Step 2/4 : LABEL compartment.artifact="" x="y"', "\n", " ---> Using cache\n",
        " ---> 1123456789ab\n",
        "Step 3/4 : RUN make", "\n", " ---> Running in 2123456789ab\n", "one\ntw",
        "\x1b[91mo\n\x1b[0m", "\n", "Step 9/9 : not a step\n",
        "Removing intermediate container 2\n",
        " ---> 3123456789ab\n", "Step 4/4 : LABEL compartment.artifact=x", "\n",
        "Successfully built 3\n",
    ) == ["[1/2] FROM a", "[2/2] RUN make", "one", "two", "Step 9/9 : not a step"]  # fmt: skip


def test_cached_steps_are_said_to_be() -> None:
    assert _heard("Step 1/1 : RUN x\n", " ---> Using cache\n") == ["[1/2] RUN x (cached)"]
    assert _heard("Step 1/1 : RUN x\n") == ["[1/2] RUN x"]
    assert _heard("no newline") == ["no newline"]


def test_a_pull_is_a_few_lines() -> None:
    said = list[str]()
    progress = Progress(1, said.append)
    progress.hear({"stream": "Step 1/1 : FROM nginx:alpine\n"})
    progress.hear({"status": "Pulling from library/nginx", "id": "alpine"})
    for status in ("Pulling fs layer", "Waiting", "Downloading", "Verifying Checksum"):
        for layer in ("a", "b"):
            progress.hear({"status": status, "id": layer, "progressDetail": {"current": 1}})
    for layer in ("a", "b"):
        progress.hear({"status": "Extracting", "id": layer})
        progress.hear({"status": "Pull complete", "id": layer})
    progress.hear({"status": "Digest: sha256:00"})
    progress.hear({"status": "Status: Downloaded newer image for nginx:alpine"})
    assert said == [
        "[1/1] FROM nginx:alpine",
        "pulling library/nginx:alpine",
        "pulled layer 1 of 2",
        "pulled layer 2 of 2",
    ]


PLAIN = """\
#1 [internal] load build definition from Dockerfile
#1 sha256:fcdef1192dba70159c35a7ca9504fe5ba4b6bf74138c8740e83aa6276bc2f1fb
#1 transferring dockerfile: 83B done
#4 [1/3] FROM docker.io/library/debian:bookworm-slim
#4 CACHED

#5 [build 2/3] RUN echo s3cret     && make
#5 0.166 hi
#5 0.170   indented#5 DONE 0.2s

#6 exporting to image
#6 exporting layers 0.0s done
"""


def test_what_buildkit_says_is_said_without_its_machinery() -> None:
    said = list[str]()
    plain = Plain(DOCKERFILE, {"TOKEN": "s3cret", "EMPTY": ""}, said.append)
    for line in PLAIN.splitlines():
        plain.hear(line)
    assert said == [
        "[1/3] FROM docker.io/library/debian:bookworm-slim",
        "[1/3] cached",
        "[build 2/3] RUN echo $TOKEN && make",
        "hi",
        "  indented",
    ]


@pytest.mark.parametrize(
    "lines",
    [
        [
            " > [build 2/3] RUN echo s3cret     && make:",
            "Dockerfile:4",
            "ERROR: failed to solve: x",
        ],
        [" > [build 2/3] RUN echo s3cret     && make:", "executor failed running [/bin/sh]: x"],
    ],
)
def test_the_instruction_at_which_buildkit_failed_is_found(lines: list[str]) -> None:
    plain = Plain(DOCKERFILE, {"TOKEN": "s3cret"}, lambda _: None)
    for line in ["------", *lines]:
        plain.hear(line)
    assert plain.instruction is not None
    assert plain.instruction.line == 3
    assert plain.reason.endswith("x")


@pytest.mark.parametrize(
    ("reason", "at", "doing", "message", "hint"),
    [
        (
            "The command '/bin/sh -c make' returned a non-zero code: 2", 2, "",
            "the build ended with exit code 2 in line 3 of the Dockerfile: RUN echo $TOKEN && make",
            "",
        ),
        (
            "executor failed running [/bin/sh -c make]: exit code: 137", 2, "",
            "the build ended with exit code 137 in line 3",
            "out of memory",
        ),
        (
            "COPY failed: file not found in build context or excluded by .dockerignore", 3, "",
            "line 5 of the Dockerfile: COPY missing /x: COPY failed",
            "dockerignore",
        ),
        (
            'Get "https://registry": dial tcp: no such host', 0, "",
            "the image debian:bookworm-slim (Dockerfile, line 1) is not on the Docker Engine and"
            " cannot be pulled: Get",
            "docker pull debian:bookworm-slim",
        ),
        (
            "failed to solve: no such host", None,
            "[internal] load metadata for docker.io/library/debian:bookworm-slim",
            "the image debian:bookworm-slim (Dockerfile, line 1) is not on the Docker Engine",
            "docker pull debian:bookworm-slim",
        ),
        ("the --mount option requires BuildKit", 2, "", "requires BuildKit", "buildx"),
        ("write /x: no space left on device", 2, "", "no space left", "disk space"),
        ("unknown instruction: RUNN", None, "", "unknown instruction: RUNN", "Dockerfile"),
    ],
)  # fmt: skip
def test_failures_say_where_and_what_to_do(
    reason: str, at: int | None, doing: str, message: str, hint: str
) -> None:
    instruction = None if at is None else KNOWN[at]
    error = Failure(reason, instruction, IMAGES, doing).explained()
    assert message in error.message
    assert hint in (error.hint or "")
