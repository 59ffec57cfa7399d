"""The inference endpoints: raw ASGI, since every microsecond here is paid by every request."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Mapping
from typing import Any

import structlog

from dragoman.calls import Call
from dragoman.errors import (
    DragomanError,
    Forbidden,
    MethodNotAllowed,
    Overloaded,
    UpgradeRequired,
)
from dragoman.gateway import Gateway
from dragoman.http.body import read_body
from dragoman.http.models import answer_models
from dragoman.http.remembered import answer_remembered
from dragoman.http.reply import Reply, error_response
from dragoman.http.routes import ModelsRoute, ResponseRoute, Route
from dragoman.keys import GatewayKey, Scope
from dragoman.protocols import ErrorShape
from dragoman.relay import relay
from dragoman.transcript import Transcript
from dragoman.usage import LEFT, Entry

log = structlog.get_logger()

_RESPONSE_METHODS = ("GET", "HEAD", "DELETE")
_SANE_REQUEST_ID = re.compile(rb"[A-Za-z0-9._:/+=-]{1,128}")


NOBODY_LEFT = 499
"""The status of a request whose client left before there was one; nginx calls it so too."""

CLIENT_LEFT = "The client left."
"""What a request's task is cancelled with when its connection is gone."""


class Inference:
    """An ASGI application for every operation of `protocols.OPERATIONS`, the model list, and
    the answers that the gateway remembers.

    It serves what `scope["dragoman.route"]` says.
    """

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        route: Route | ModelsRoute | ResponseRoute = scope["dragoman.route"]
        if isinstance(route, Route):
            await self._relay(scope, receive, send, route)
        else:
            await self._look_up(scope, receive, send, route)

    async def _relay(self, scope: Any, receive: Any, send: Any, route: Route) -> None:
        """One request, from its head to the last byte of its answer."""
        gateway = self._gateway
        headers: dict[bytes, bytes] = dict(scope["headers"])
        entry = Entry(request_id(headers), route.operation)
        entry.client = headers.get(b"user-agent", b"").decode("latin-1")
        entry.traceparent = headers.get(b"traceparent", b"").decode("latin-1")
        structlog.contextvars.bind_contextvars(request_id=entry.request_id)
        reply = Reply(send, route.operation, entry, gateway.settings.server.keepalive_s)
        try:
            if gateway.ledger.is_full:
                await gateway.ledger.admit()
            _check_method(scope, headers)
            key = _require_inference(gateway.keys.ring.authenticate(credential(headers)))
            entry.key = key
            async with gateway.admission.enter():
                await self._serve(scope, receive, headers, route, key, entry, reply)
        except DragomanError as error:
            await reply.fail(error)
        except asyncio.CancelledError as cancelled:
            left = CLIENT_LEFT in cancelled.args
            if left and entry.complete:  # some clients hang up on the last event
                raise
            was_answered = entry.status != 0
            await reply.fail(Overloaded(CLIENT_LEFT if left else "The gateway is stopping."))
            if left:
                entry.code = LEFT
                if not was_answered:
                    entry.status = NOBODY_LEFT
            raise
        except Exception:  # the outermost shell: no request may end without an answer
            log.exception("request failed", request_id=entry.request_id)
            await reply.fail(DragomanError("Dragoman failed; its log says why."))
        finally:
            await reply.close()
            gateway.finish(entry)

    async def _serve(
        self,
        scope: Any,
        receive: Any,
        headers: Mapping[bytes, bytes],
        route: Route,
        key: GatewayKey,
        entry: Entry,
        reply: Reply,
    ) -> None:
        """The request of a caller who may ask, from its body on."""
        gateway = self._gateway
        body = await read_body(receive, headers, gateway.max_body)
        if gateway.settings.server.log_bodies:
            entry.transcript = Transcript(gateway.settings.server.log_body_kb * 1024)
            entry.transcript.client_request.add(body)
        call = Call(
            operation=route.operation,
            key=key,
            headers=scope["headers"],
            query=scope["query_string"],
            request_id=entry.request_id,
            provider_id=route.provider_id,
            model=route.model,
        )
        answer = await relay(
            call,
            body,
            gateway.router,
            gateway.health,
            gateway.memory,
            gateway.limits,
            gateway.prices,
            gateway.transport,
            entry,
        )
        await reply.answer(answer)

    async def _look_up(
        self, scope: Any, receive: Any, send: Any, route: ModelsRoute | ResponseRoute
    ) -> None:
        """What the gateway knows itself, off the hot path."""
        gateway = self._gateway
        headers: dict[bytes, bytes] = dict(scope["headers"])
        shape = ErrorShape.ANTHROPIC if b"anthropic-version" in headers else ErrorShape.OPENAI
        name = request_id(headers)
        try:
            allowed = ("GET", "HEAD") if isinstance(route, ModelsRoute) else _RESPONSE_METHODS
            if scope["method"] not in allowed:
                raise MethodNotAllowed(f"Send {scope['path']} as a GET.", allowed=allowed)
            key = _require_inference(gateway.keys.ring.authenticate(credential(headers)))
            if isinstance(route, ModelsRoute):
                response = answer_models(gateway, key, route, scope["query_string"])
            else:
                response = await answer_remembered(gateway, key, route, scope["method"])
        except DragomanError as error:
            response = error_response(shape, error, name)
        response.headers["x-request-id"] = name
        await response(scope, receive, send)


def _require_inference(key: GatewayKey) -> GatewayKey:
    if Scope.INFERENCE not in key.scopes:
        raise Forbidden(f"The key `{key.name}` has not the scope `inference` that this needs.")
    return key


def request_id(headers: Mapping[bytes, bytes]) -> str:
    """The caller's `x-request-id` if it is a sane one, else a new one."""
    given = headers.get(b"x-request-id", b"")
    if _SANE_REQUEST_ID.fullmatch(given):
        return given.decode()
    return "req_" + secrets.token_hex(12)


def credential(headers: Mapping[bytes, bytes]) -> str:
    """The gateway key that a request carries, empty where it carries none."""
    authorization = headers.get(b"authorization", b"")
    scheme, _, token = authorization.partition(b" ")
    if scheme.lower() == b"bearer":
        key = token.strip()
    else:
        key = headers.get(b"x-api-key") or headers.get(b"x-goog-api-key") or b""
    return key.decode("latin-1")


def _check_method(scope: Any, headers: Mapping[bytes, bytes]) -> None:
    if b"websocket" in headers.get(b"upgrade", b"").lower():
        raise UpgradeRequired("WebSockets are not spoken here: send the request as an HTTP POST.")
    if scope["method"] != "POST":
        raise MethodNotAllowed(f"Send {scope['path']} as a POST.", allowed=("POST",))
