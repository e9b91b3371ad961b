"""The page that certificate authorities look at."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from core.certificates.challenges import FOLDER

if TYPE_CHECKING:
    from starlette.requests import Request

    from core.certificates.challenges import Challenges


def challenge_page(challenges: Challenges) -> Route:
    """`GET /.well-known/acme-challenge/TOKEN`, for any domain."""

    async def challenge(request: Request) -> Response:
        host = request.headers.get("host", "").partition(":")[0].lower()
        # On a thread, because the folder may be on a network.
        answer = await asyncio.to_thread(challenges.answer, host, request.path_params["token"])
        if answer is None:
            return PlainTextResponse("there is no such challenge\n", 404)
        return Response(answer, media_type="application/octet-stream")

    return Route(f"/{FOLDER}/{{token:path}}", challenge)
