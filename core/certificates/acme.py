"""Certificates by ACME (RFC 8555), proven by http-01 challenges that the gateway answers.

The library speaks to the authority synchronously; each step is a thread of its own with a limit, so
that between them a cancellation is heard.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import requests
from acme import challenges, client, crypto_util, errors, messages
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from josepy.errors import Error as JoseError
from josepy.jwa import ES256

from core import __version__
from core.certificates.account import Account
from core.errors import CompartmentError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.certificates.authority import AcmeAuthority
    from core.certificates.challenges import Challenges

_NETWORK_TIMEOUT_S: Final = 15
_VALIDATION_LIMIT_S: Final = 45.0
_ISSUE_LIMIT: Final = timedelta(seconds=30)
_FIRST_POLL_S: Final = 0.05
_LONGEST_POLL_S: Final = 3.0

_RATE_LIMITED: Final = "rateLimited"
_UNKNOWN_ACCOUNT: Final = "accountDoesNotExist"
_REACHABLE: Final = (
    "the authority must reach the public listener at port 80 of the domain: check DNS, the"
    " firewall and the settings port and host"
)


class IssueFailed(CompartmentError):
    """An authority gave no certificate; it may be asked again later."""

    code = "certificate_failed"

    def __init__(self, message: str, *, hint: str | None = None, is_limited: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.is_limited = is_limited
        """Whether it was asked too often."""


async def issue(authority: AcmeAuthority, host: str) -> tuple[bytes, bytes]:
    """A new certificate with a new key: the chain and the key, in PEM.

    Raises:
        IssueFailed: there is none, and why.
    """
    account = Account(authority.folder, authority.directory)
    with _explained(authority, account):
        session = await asyncio.to_thread(_session, authority, account)
        key = _new_key()
        request = crypto_util.make_csr(key, [host])
        order = await asyncio.to_thread(session.new_order, request)
        for each in order.authorizations:
            if each.body.status != messages.STATUS_VALID:
                await _prove(session, authority.answers, host, each)
        deadline = datetime.now() + _ISSUE_LIMIT  # noqa: DTZ005 - as the library takes it
        done = await asyncio.to_thread(session.finalize_order, order, deadline)
    return done.fullchain_pem.encode(), key


def _session(authority: AcmeAuthority, account: Account) -> client.ClientV2:
    network = client.ClientNetwork(
        account.key(),
        alg=ES256,
        # It hands this on to requests, which takes the path of a file as well.
        verify_ssl=authority.ca_file or True,  # type: ignore[arg-type]
        user_agent=f"compartment/{__version__}",
        timeout=_NETWORK_TIMEOUT_S,
    )
    directory = client.ClientV2.get_directory(authority.directory, network)
    session = client.ClientV2(directory, network)
    account.sign_in(session, authority.email)
    return session


async def _prove(
    session: client.ClientV2, answers: Challenges, host: str, authorization: Any
) -> None:
    """Shows that the host leads here."""
    challenge = _http_challenge(authorization)
    response, answer = challenge.response_and_validation(session.net.key)
    with answers.answered(host, challenge.chall.encode("token"), answer):
        await asyncio.to_thread(session.answer_challenge, challenge, response)
        await _until_valid(session, authorization)


@contextmanager
def _explained(authority: AcmeAuthority, account: Account) -> Iterator[None]:
    """What went wrong, in words for whoever has the domain."""
    try:
        yield
    except messages.Error as error:
        if error.code == _UNKNOWN_ACCOUNT:
            account.forget_registration()
        raise _refused(error) from error
    except requests.RequestException as error:
        raise IssueFailed(
            f"the certificate authority {authority.directory} cannot be reached: {_root(error)}",
            hint="check the network, and the settings acme_directory and acme_ca_file",
        ) from error
    except errors.TimeoutError as error:
        raise IssueFailed("the certificate authority did not issue in time") from error
    except (errors.Error, JoseError, ValueError, KeyError) as error:
        raise IssueFailed(f"the certificate authority: {_first(error)}") from error
    except OSError as error:
        raise IssueFailed(f"the account cannot be kept: {error.strerror or error}") from error


def _new_key() -> bytes:
    made = ec.generate_private_key(ec.SECP256R1())
    return made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _http_challenge(authorization: Any) -> Any:
    for each in authorization.body.challenges:
        if isinstance(each.chall, challenges.HTTP01):
            return each
    raise IssueFailed(
        "the certificate authority offers no http-01 challenge for this host",
        hint="get the certificate in another way: compartment domain add --certificate --key",
    )


async def _until_valid(session: client.ClientV2, authorization: Any) -> None:
    """Returns when the authority has looked, and found what it expects."""
    deadline, pause_s = time.monotonic() + _VALIDATION_LIMIT_S, _FIRST_POLL_S
    while True:
        found, _ = await asyncio.to_thread(session.poll, authorization)
        if found.body.status == messages.STATUS_VALID:
            return
        reasons = [each.error for each in found.body.challenges if each.error is not None]
        is_over = found.body.status != messages.STATUS_PENDING
        if is_over or time.monotonic() > deadline:
            if reasons:
                raise _refused(reasons[0])
            raise IssueFailed("the certificate authority did not look in time", hint=_REACHABLE)
        await asyncio.sleep(pause_s)
        pause_s = min(2 * pause_s, _LONGEST_POLL_S)


def _refused(error: messages.Error) -> IssueFailed:
    detail = str(error.detail or error.description or error.typ)
    is_limited = error.code == _RATE_LIMITED
    hint = "wait until the limit is over; it is tried again by itself" if is_limited else _REACHABLE
    return IssueFailed(
        f"the certificate authority refused ({error.code or 'unknown'}): {detail}",
        hint=hint,
        is_limited=is_limited,
    )


def _root(error: BaseException) -> str:
    """What lies below the errors of the layers of a library, in the words of the system."""
    while True:
        below = (getattr(error, "reason", None), *error.args, error.__cause__)
        inner = next((each for each in below if isinstance(each, BaseException)), None)
        if inner is None:
            return getattr(error, "strerror", None) or _first(error)
        error = inner


def _first(error: BaseException) -> str:
    """The first line of what a library says, cut to what fits into a line."""
    return (str(error) or type(error).__name__).splitlines()[0][:300]
