"""Which answers are given to challenges, and that nothing else can be had from their folder."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from core.certificates.challenges import FOLDER, Challenges

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "webroot" / FOLDER
    made.mkdir(parents=True)
    (made / "good-Token_1").write_bytes(b"good.answer")
    (made / "large").write_bytes(b"x" * 4097)
    (made / "dotted.txt").write_bytes(b"secret")
    (made / "folder").mkdir()
    (made / "folder" / "inner").write_bytes(b"secret")
    (tmp_path / "secret").write_bytes(b"secret")
    (made / "link").symlink_to(tmp_path / "secret")
    os.mkfifo(made / "pipe")
    return tmp_path / "webroot"


@pytest.mark.parametrize(
    "token",
    [
        *("missing", "large", "folder", "link", "pipe", "dotted.txt", "folder/inner", ""),
        *("../../../secret", "good-Token_1\n", "good-Token_1/", "%67ood-Token_1", "good\0"),
    ],
)
def test_nothing_else_is_told(folder: Path, token: str) -> None:
    assert Challenges(folder).answer("shop.example.com", token) is None


def test_what_others_have_put_there_is_told_for_every_host(folder: Path) -> None:
    challenges = Challenges(folder)
    assert challenges.answer("shop.example.com", "good-Token_1") == b"good.answer"
    assert challenges.answer("other.example.com", "good-Token_1") == b"good.answer"


def test_ours_is_told_for_its_host_while_it_is_asked_for() -> None:
    challenges = Challenges(None)
    with challenges.answered("shop.example.com", "token", "answer"):
        assert challenges.answer("shop.example.com", "token") == b"answer"
        assert challenges.answer("other.example.com", "token") is None
    assert challenges.answer("shop.example.com", "token") is None
