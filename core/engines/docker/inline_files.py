"""Files whose content is in the Compose file or a variable, copied in before the first start."""

from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING

from core.engines.docker.mounts import is_hidden

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from core.container import Container, InlineFile


def archives(container: Container) -> Iterator[tuple[str, bytes]]:
    """The files of a container as tar archives, each with the folder that it is unpacked in."""
    hidden = [each for each in container.files if is_hidden(container, each.target)]
    if open_ := [each for each in container.files if each not in hidden]:
        yield "/", packed(open_)
    # The engine takes these only for the volumes that are mounted there for them.
    for folder in dict.fromkeys(_folder(each) for each in hidden):
        yield folder, packed((each for each in hidden if _folder(each) == folder), folder)


def packed(files: Iterable[InlineFile], folder: str = "") -> bytes:
    """Files as a tar archive, relative to a folder.

    Folders are not in it: the engine makes those that are missing, and leaves the others alone.
    """
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for file in files:
            content = file.content.encode()
            entry = tarfile.TarInfo(file.target.removeprefix(folder).lstrip("/"))
            entry.size, entry.mode = len(content), file.mode
            entry.uid, entry.gid = file.uid, file.gid
            tar.addfile(entry, io.BytesIO(content))
    return archive.getvalue()


def _folder(file: InlineFile) -> str:
    return file.target.rpartition("/")[0]
