"""The account at a certificate authority: a key of ours, and where the authority knows it."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from acme import errors, messages
from cryptography.hazmat.primitives.asymmetric import ec
from josepy.jwk import JWKEC

from core.files import write_atomically

if TYPE_CHECKING:
    from pathlib import Path

    from acme.client import ClientV2


class Account:
    """One for each directory, in a private file."""

    def __init__(self, folder: Path, directory: str) -> None:
        digest = hashlib.sha256(directory.encode()).hexdigest()[:12]
        self._path = folder / f"account-{digest}.json"

    def key(self) -> JWKEC:
        """Its key, made at the first time. Raises OSError where it cannot be kept."""
        kept = self._kept()
        if kept is not None:
            found = JWKEC.from_json(kept["key"])
            assert isinstance(found, JWKEC)
            return found
        made = JWKEC(key=ec.generate_private_key(ec.SECP256R1()))
        self._keep(made, None)
        return made

    def sign_in(self, client: ClientV2, email: str | None) -> None:
        """Has an authority know who asks, from now on; at the first time it is registered.

        That agrees to the terms of the authority.
        """
        kept = self._kept()
        uri = kept["uri"] if kept else None
        if uri is None:
            wanted = messages.NewRegistration.from_data(email=email, terms_of_service_agreed=True)
            try:
                uri = client.new_account(wanted).uri
            except errors.ConflictError as error:
                uri = error.location
            self._keep(self.key(), uri)
        body = messages.Registration()
        client.net.account = messages.RegistrationResource(uri=uri, body=body)

    def forget_registration(self) -> None:
        """After an authority has said that it does not know the account."""
        self._keep(self.key(), None)

    def _kept(self) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = json.loads(self._path.read_text())
        except FileNotFoundError:
            return None
        return found

    def _keep(self, key: JWKEC, uri: str | None) -> None:
        self._path.parent.mkdir(mode=0o700, exist_ok=True)
        content = json.dumps({"key": key.to_json(), "uri": uri})
        write_atomically(self._path, content.encode())
