"""Files whose content is in the Compose file or a variable, copied in before the first start."""

from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from core.container import InlineFile


def packed(files: Iterable[InlineFile]) -> bytes:
    """The files as a tar archive that is unpacked at the root of a container.

    Folders are not in it: the engine makes those that are missing, and leaves the others alone.
    """
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for file in files:
            content = file.content.encode()
            entry = tarfile.TarInfo(file.target.lstrip("/"))
            entry.size, entry.mode = len(content), file.mode
            entry.uid, entry.gid = file.uid, file.gid
            tar.addfile(entry, io.BytesIO(content))
    return archive.getvalue()
