"""What all management routes have in common: who is let in, what is read, how it is described."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Security
from fastapi.routing import APIRoute
from fastapi.security import APIKeyCookie
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from dragoman import edit
from dragoman.errors import UnsupportedEncoding
from dragoman.gateway import Gateway
from dragoman.http import guard
from dragoman.http.body import read_body
from dragoman.http.openapi.schema import ref
from dragoman.management import Management

TAG_NAME = "management"

_LARGEST_BODY = 4 * 1024 * 1024
_KEY_SCHEMES = ("bearer", "x-api-key", "x-goog-api-key")
_SESSION = APIKeyCookie(
    name=guard.SESSION_COOKIE,
    scheme_name="session",
    description="A browser that has opened the link that `dragoman serve` prints.",
    auto_error=False,
)


class Answer(BaseModel):
    """A body that goes out."""

    model_config = ConfigDict(frozen=True, from_attributes=True)


class ManagementRoute(APIRoute):
    """A route whose caller is checked before its body is read.

    FastAPI reads the whole body before it asks any dependency, so a check there would let
    strangers fill the memory. The body must be one JSON object in which no member is named twice.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        options["openapi_extra"] = {"security": [{name: []} for name in _KEY_SCHEMES]}
        super().__init__(path, endpoint, **options)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def admit(request: Request) -> Response:
            gateway: Gateway = request.app.state.gateway
            headers: dict[bytes, bytes] = dict(request.scope["headers"])
            guard.require_admin(gateway, headers)
            body = await read_body(request.receive, headers, min(gateway.max_body, _LARGEST_BODY))
            if body:
                _check_body(body, headers)
            response = await handle(Request(request.scope, _replay(body)))
            response.headers["cache-control"] = "no-store"
            return response

        return admit


def new_router(prefix: str = "") -> APIRouter:
    """A router of management routes under `/admin` and `prefix`."""
    return APIRouter(
        prefix="/admin" + prefix,
        tags=[TAG_NAME],
        route_class=ManagementRoute,
        dependencies=[Security(_SESSION)],
        generate_unique_id_function=lambda route: route.name,
        responses={
            "4XX": _failure("The request is refused; `code` says why, `param` names the member."),
            "5XX": _failure("A provider or the gateway itself failed."),
        },
    )


def as_time(milliseconds: int | None) -> datetime | None:
    """A stored time, for an answer."""
    return None if milliseconds is None else datetime.fromtimestamp(milliseconds / 1000, UTC)


def _gateway(request: Request) -> Gateway:
    return request.app.state.gateway


def _management(request: Request) -> Management:
    return request.app.state.management


GatewayPart = Annotated[Gateway, Depends(_gateway)]
ManagementPart = Annotated[Management, Depends(_management)]


def _check_body(body: bytes, headers: Mapping[bytes, bytes]) -> None:
    kind = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
    if kind != b"application/json":
        raise UnsupportedEncoding(
            "Management reads JSON alone: send the body with `content-type: application/json`."
        )
    edit.parse(body)


def _replay(body: bytes) -> Callable[[], Coroutine[Any, Any, dict[str, Any]]]:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


def _failure(description: str) -> dict[str, Any]:
    return {
        "description": description,
        "content": {"application/json": {"schema": ref("OpenAIError")}},
    }
