from __future__ import annotations

import pytest

from core.engines.docker.instructions import bases, first_port, instructions, with_labels

LONG = """\
# syntax=docker/dockerfile:1
ARG VERSION=3.13
FROM python:${VERSION}-slim AS build

# a comment
RUN apt-get update \\
    # in the middle

    && apt-get install \\
    gcc
COPY <<EOF /made
FROM not:this
EOF
from --platform=linux/amd64 debian:bookworm-slim as Run
COPY --from=build /a /b
COPY --from=0 /a /c
COPY --link --from=nginx:alpine /etc/nginx /etc/nginx
FROM run
FROM scratch
"""


def test_instructions_are_joined_and_numbered() -> None:
    found = [(each.name, each.line, each.last_line) for each in instructions(LONG)]
    assert found == [
        ("ARG", 2, 2),
        ("FROM", 3, 3),
        ("RUN", 6, 10),
        ("COPY", 11, 13),
        ("FROM", 14, 14),
        ("COPY", 15, 15),
        ("COPY", 16, 16),
        ("COPY", 17, 17),
        ("FROM", 18, 18),
        ("FROM", 19, 19),
    ]
    run = next(each for each in instructions(LONG) if each.name == "RUN")
    assert run.rest.split(" ") == ["apt-get", "update", "&&", "apt-get", "install", "gcc"]


def test_a_shift_is_no_document() -> None:
    text = "FROM a\nRUN\techo $((1<<2)) <<< x\nRUN b"
    assert [each.name for each in instructions(text)] == ["FROM", "RUN", "RUN"]


def test_the_escape_directive_is_followed() -> None:
    text = "# escape=`\nFROM a\nRUN one `\n  two\nRUN three \\\nRUN four"
    assert [each.line for each in instructions(text)] == [2, 3, 5, 6]


@pytest.mark.parametrize(
    ("arguments", "first"),
    [({}, "python:3.13-slim"), ({"VERSION": "3.11"}, "python:3.11-slim")],
)
def test_bases_are_the_images_of_others(arguments: dict[str, str], first: str) -> None:
    found = [(base.image, base.line) for base in bases(LONG, arguments)]
    assert found == [(first, 3), ("debian:bookworm-slim", 14), ("nginx:alpine", 17)]


@pytest.mark.parametrize(
    ("image", "base"),
    [
        ("$NAME", "plain"),
        ("${NAME}:1", "plain:1"),
        ("${NONE:-other}", "other"),
        ("${NAME:+another}", "another"),
        ("a${NONE}b", "ab"),
    ],
)
def test_arguments_are_filled_in(image: str, base: str) -> None:
    assert [each.image for each in bases(f'ARG NAME="plain"\nFROM {image}', {})] == [base]


@pytest.mark.parametrize(
    ("text", "port"),
    [
        ("FROM a\nEXPOSE 9000 80", 9000),
        ("FROM a\nEXPOSE 80/tcp\nEXPOSE 70", 80),
        ("FROM a\nEXPOSE 80\nFROM b", None),
        ("FROM a\nEXPOSE 53/udp", None),
        ("FROM a\nEXPOSE $PORT", None),
        ("FROM a", None),
    ],
)
def test_first_port(text: str, port: int | None) -> None:
    assert first_port(text) == port


def test_labels_are_added_to_every_stage_and_at_the_end() -> None:
    text = "ARG X\nFROM a \\\n AS b\nRUN x\nFROM c"
    labelled, added = with_labels(text, {"one": "1"}, {"two": 'a "b" $c \\ d'})
    assert labelled.splitlines() == [
        "ARG X",
        "FROM a \\",
        " AS b",
        'LABEL one="1"',
        "RUN x",
        "FROM c",
        'LABEL one="1"',
        'LABEL two="a \\"b\\" \\$c \\\\ d"',
    ]
    assert added == [4, 7]
