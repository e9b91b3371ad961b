"""Files that a crash never leaves half written, and the home folder that holds them."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from core.errors import CompartmentError

_SOCKET_PATH_BYTES = 100
"""Unix socket paths end at 104 bytes on macOS and 108 on Linux, terminator included."""


def write_atomically(
    path: Path, data: bytes, *, mode: int = 0o600, outlives_power_loss: bool = True
) -> None:
    """Replaces a file in one step: a reader sees the old content or the new one, never half.

    Does not wait for the disk where the content need not outlive a loss of power, after which the
    file may be empty. Raises OSError when the disk is full or read-only; the old content is then
    untouched.
    """
    # Imported here: a command that only asks its agent should not pay for it.
    import tempfile

    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(data)
            file.flush()
            if outlives_power_loss:
                os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def private(path: str, flags: int) -> int:
    """For `open(..., opener=private)`: a file that is made is its owner's, whatever the umask."""
    return os.open(path, flags, 0o600)


def make_folder(folder: Path, *, mode: int = 0o700) -> None:
    """Makes a folder and what is missing above it, none of it more open than `mode`.

    `Path.mkdir` gives its mode to the last one only. Raises OSError.
    """
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    for each in reversed(missing):
        each.mkdir(mode=mode, exist_ok=True)


def is_seen_by(folder: Path, pid: int) -> bool:
    """Whether a process has this very folder at its path: one in a container has its own there."""
    if not Path("/proc/self/root").exists():
        return True  # a system without containers that show their processes
    try:
        return folder.samefile(f"/proc/{pid}/root{folder}")
    except OSError:
        return False


@dataclass(frozen=True, slots=True)
class Home:
    """The private folder that holds everything one agent knows; deleting it forgets everything."""

    root: Path

    @classmethod
    def locate(cls) -> Home:
        """`$COMPARTMENT_HOME`, else the platform's state folder."""
        named = os.environ.get("COMPARTMENT_HOME")
        return cls(Path(named).absolute()) if named else cls.usual()

    @classmethod
    def usual(cls) -> Home:
        """The one in the platform's state folder."""
        # Imported here: a command that is told its home should not pay for the lookup.
        import platformdirs

        return cls(Path(platformdirs.user_state_dir("compartment")))

    @property
    def journal(self) -> Path:
        """What happened, and what is true."""
        return self.root / "journal.db"

    @property
    def manifests(self) -> Path:
        """What the journal can be made anew from, should it be damaged."""
        return self.root / "manifests"

    @property
    def logs(self) -> Path:
        """The three log streams of every deployment."""
        return self.root / "logs"

    @property
    def gateway(self) -> Path:
        """Envoy's configuration and its log."""
        return self.root / "gateway"

    @property
    def certificates(self) -> Path:
        """The accounts at certificate authorities; the certificates are the gateway's."""
        return self.root / "certificates"

    @property
    def releases(self) -> Path:
        """The artifacts."""
        return self.root / "releases"

    @property
    def instances(self) -> Path:
        """What shims are told, and what they record."""
        return self.root / "instances"

    @property
    def uploads(self) -> Path:
        """The sources that were sent from other machines."""
        return self.root / "uploads"

    @property
    def agent_lock(self) -> Path:
        """Held by the one agent of this home."""
        return self.root / "agent.lock"

    @property
    def agent_output(self) -> Path:
        """What the agent says of itself."""
        return self.root / "agent.log"

    @property
    def agent_socket(self) -> Path:
        """The only door to the agent."""
        return self.sockets / "agent.sock"

    @property
    def pages_socket(self) -> Path:
        """Where the gateway reaches the pages that the agent serves to the web."""
        return self.sockets / "pages.sock"

    @property
    def sockets(self) -> Path:
        """Where unix sockets are: the home, or a short private stand-in where that is too long."""
        longest = self.root / "run" / f"dep_{'0' * 12}.99999.sock"
        if len(os.fsencode(longest)) <= _SOCKET_PATH_BYTES:
            return self.root / "run"
        digest = hashlib.sha256(os.fsencode(self.root)).hexdigest()[:12]
        # Not $TMPDIR: all commands must find the same agent, whatever shell they are called from.
        return Path("/tmp") / f"compartment-{os.getuid()}-{digest}"  # noqa: S108 - owner is checked

    def create(self) -> None:
        """Makes the folders, private to their owner.

        Raises:
            CompartmentError: when a folder cannot be made, or belongs to somebody else.
        """
        self._make(
            *(self.root, self.sockets, self.logs, self.gateway),
            *(self.manifests, self.releases, self.instances),
        )

    def make_sockets(self) -> None:
        """Makes the folder for sockets alone, where there is no agent.

        Raises:
            CompartmentError: as `create`.
        """
        self._make(self.root, self.sockets)

    def claim_sockets(self) -> None:
        """Makes sure that nobody else could listen where our sockets are.

        The stand-in is in a folder of all, and whoever asks an agent tells it much: so it is made,
        too, where no agent has done so yet.

        Raises:
            CompartmentError: somebody else has made it.
        """
        if self.sockets.parent != self.root:
            self._make(self.sockets)

    def _make(self, *folders: Path) -> None:
        for folder in folders:
            try:
                make_folder(folder)
                _check_private(folder)
            except OSError as error:
                raise CompartmentError(
                    f"cannot use the home folder {self.root}: {error.strerror or error}",
                    hint="set COMPARTMENT_HOME to a folder that you own and that has room",
                ) from error


def _check_private(folder: Path) -> None:
    """A stand-in under a shared folder may have been made by somebody else first."""
    found = folder.lstat()
    if found.st_uid != os.getuid() or not stat.S_ISDIR(found.st_mode):
        raise PermissionError(f"{folder} is not a folder of yours")
    if stat.S_IMODE(found.st_mode) & 0o077:
        folder.chmod(0o700)
