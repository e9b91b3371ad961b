"""Archives that somebody made by hand are refused, and leave nothing outside of their folder."""

from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING

import pytest

from core.engines.source.walk import Kind
from core.errors import UsageError
from core.sources.unpacking import unpack

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def file(name: str, content: bytes = b"x", mode: int = 0o644) -> Callable[[tarfile.TarFile], None]:
    def add(tar: tarfile.TarFile) -> None:
        info = tarfile.TarInfo(name)
        info.size, info.mode, info.mtime = len(content), mode, 1_000_000_000
        tar.addfile(info, io.BytesIO(content))

    return add


def other(name: str, kind: bytes, leads_to: str = "") -> Callable[[tarfile.TarFile], None]:
    def add(tar: tarfile.TarFile) -> None:
        info = tarfile.TarInfo(name)
        info.type, info.linkname = kind, leads_to
        tar.addfile(info)

    return add


def link(name: str, leads_to: str) -> Callable[[tarfile.TarFile], None]:
    return other(name, tarfile.SYMTYPE, leads_to)


def sized(path: str, size_bytes: int) -> Callable[[tarfile.TarFile], None]:
    """A header alone, whatever follows."""

    def add(tar: tarfile.TarFile) -> None:
        info = tarfile.TarInfo(path)
        info.size = size_bytes
        tar.fileobj.write(info.tobuf(tarfile.GNU_FORMAT))
        tar.offset += tarfile.BLOCKSIZE

    return add


def archive(folder: Path, *entries: Callable[[tarfile.TarFile], None]) -> Path:
    path = folder / "archive.tar"
    with tarfile.open(path, "w") as tar:
        for add in entries:
            add(tar)
    return path


def test_files_come_out_as_they_went_in(tmp_path: Path) -> None:
    packed = archive(
        tmp_path,
        link("latest", "app/run"),
        file("app/run", b"#!/bin/sh\n", 0o755),
        file("key", b"secret", 0o600),
        file("with space\xe9", b"", 0o664),
    )
    items = unpack(packed, tmp_path / "out", 100)
    out = tmp_path / "out"
    assert {item.path: (item.kind, item.is_private) for item in items} == {
        "app/run": (Kind.EXECUTABLE, False),
        "key": (Kind.FILE, True),
        "with space\xe9": (Kind.FILE, False),
        "latest": (Kind.LINK, False),
    }
    assert (out / "latest").read_bytes() == b"#!/bin/sh\n"
    modes = {name: (out / name).stat().st_mode & 0o777 for name in ("app", "app/run", "key")}
    assert modes == {"app": 0o755, "app/run": 0o755, "key": 0o600}
    assert (out / "app/run").stat().st_mtime == 1_000_000_000


@pytest.mark.parametrize(
    ("entries", "why"),
    [
        ([file("/etc/evil")], "is no path within a folder"),
        ([file("../evil")], "is no path within a folder"),
        ([file("a/../../evil")], "is no path within a folder"),
        ([file("a//b")], "is no path within a folder"),
        ([file("./a")], "is no path within a folder"),
        ([link("out", "/etc")], "leads out, to /etc"),
        ([link("out", "../x")], "leads out, to ../x"),
        ([link("a/out", "../../x")], "leads out, to ../../x"),
        # Each reads harmless; one through the other does not.
        (
            [file("a/b/f"), link("one", "a/b"), link("a/b/two", "../.."), link("x", "one/two/..")],
            "leads out",
        ),
        ([link("a", "b"), file("a/evil")], "is there twice"),
        ([file("a"), file("a")], "is there twice"),
        ([file("a"), file("a/b")], "is below a file"),
        ([file("a/b"), file("a")], "is there twice"),
        ([link("a", "b"), link("a", "c"), file("a")], "is there twice"),
        ([other("pipe", tarfile.FIFOTYPE)], "is neither a file nor a symbolic link"),
        ([other("disk", tarfile.BLKTYPE)], "is neither a file nor a symbolic link"),
        ([other("tty", tarfile.CHRTYPE)], "is neither a file nor a symbolic link"),
        ([file("a"), other("b", tarfile.LNKTYPE, "a")], "is neither a file nor a symbolic link"),
        ([other("b", tarfile.LNKTYPE, "/etc/passwd")], "is neither a file nor a symbolic link"),
        ([other("folder", tarfile.DIRTYPE)], "is neither a file nor a symbolic link"),
        ([file("a", b"x" * 60), file("b", b"x" * 60)], "larger than what is taken here"),
        ([file("a\0b\xe9")], "is no whole archive: embedded null byte"),
        ([link("a", "b\0c\xe9")], "is no whole archive: embedded null"),
        ([sized("a", -1024)], "larger than what is taken here"),
    ],
)
def test_what_could_do_harm_is_refused(
    tmp_path: Path, entries: list[Callable[[tarfile.TarFile], None]], why: str
) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    with pytest.raises(UsageError, match=why):
        unpack(archive(inner, *entries), inner / "out", 100)
    assert sorted(path.name for path in inner.iterdir()) == ["archive.tar", "out"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["inner"]
    for path in (inner / "out").rglob("*"):
        assert path.is_symlink() or path.resolve().is_relative_to(inner / "out")


@pytest.mark.parametrize("kept_bytes", [0, 100, 600])
def test_half_an_archive_is_refused(tmp_path: Path, kept_bytes: int) -> None:
    path = archive(tmp_path, file("a", b"x" * 300), file("b", b"y" * 300))
    whole = path.read_bytes()
    path.write_bytes(whole[:kept_bytes])
    with pytest.raises(UsageError, match="no whole archive"):
        unpack(path, tmp_path / "out", 1000)
