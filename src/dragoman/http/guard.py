"""Who may use the management API, and from where.

A management request carries a key with the scope `admin`, the token of a command of the same data
directory, or the cookie of a browser that is logged in. A web page of somebody else must not be
able to use that cookie, or a gateway that needs no network: so a request whose `Origin` or
`Sec-Fetch-Site` is foreign is refused when it would change something, and on loopback a foreign
`Host` name (DNS rebinding) is refused always.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import urlsplit

import structlog
from starlette.responses import Response

from dragoman.errors import Forbidden, InvalidApiKey
from dragoman.gateway import Gateway
from dragoman.http.inference import credential, request_id
from dragoman.http.reply import error_response
from dragoman.keys import Scope
from dragoman.protocols import ErrorShape
from dragoman.runtime import COMMAND_PURPOSE

SESSION_COOKIE = "dragoman_session"
SESSION_PURPOSE = "session"
SESSION_LIFE_S = 30 * 86_400.0
LOGIN_PURPOSE = "login"
LOGIN_LIFE_S = 3600.0

_SAFE_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
]
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def check_host(gateway: Gateway, headers: Mapping[bytes, bytes]) -> None:
    """Refuses a foreign `Host` while the gateway is bound to loopback. Raises Forbidden."""
    server = gateway.settings.server
    if not is_loopback(server.host):
        return
    host = _host_name(headers.get(b"host", b"").decode("latin-1"))
    if not is_loopback(host) and host not in server.trusted_hosts:
        raise Forbidden(
            "This host name is not one of the gateway's: use 127.0.0.1 or localhost, or list the"
            " name in `trusted_hosts`."
        )


def check_origin(method: str, headers: Mapping[bytes, bytes]) -> None:
    """Refuses a write that another site's page sends. Raises Forbidden."""
    if method in _SAFE_METHODS:
        return
    origin = headers.get(b"origin")
    own = headers.get(b"host", b"").lower()
    is_foreign = origin is not None and urlsplit(origin).netloc.lower() != own
    if is_foreign or headers.get(b"sec-fetch-site") in {b"cross-site", b"same-site"}:
        raise Forbidden("A page of another origin may not change anything here.")


def require_admin(gateway: Gateway, headers: Mapping[bytes, bytes]) -> str:
    """The name of whoever asks, if it may manage the gateway.

    Raises InvalidApiKey, or Forbidden for a key that has not the scope.
    """
    token = credential(headers)
    if not token:
        if gateway.box.verify(_cookie(headers), SESSION_PURPOSE):
            return "browser"
        raise InvalidApiKey(
            "Management needs a key with the scope `admin` (`dragoman key create --name me --scope"
            " admin`) or a logged-in browser (the link that `dragoman serve` prints)."
        )
    if gateway.box.verify(token, COMMAND_PURPOSE):
        return "command"
    key = gateway.keys.ring.authenticate(token)
    if Scope.ADMIN not in key.scopes:
        raise Forbidden(f"The key `{key.name}` has not the scope `admin` that this needs.")
    return key.name


def is_loopback(host: str) -> bool:
    """Whether a host name or address means this machine alone."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _host_name(host: str) -> str:
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""


def _cookie(headers: Mapping[bytes, bytes]) -> str:
    try:
        jar = SimpleCookie(headers.get(b"cookie", b"").decode("latin-1"))
    except CookieError:
        return ""
    morsel = jar.get(SESSION_COOKIE)
    return morsel.value if morsel is not None else ""


def log_in(gateway: Gateway, response: Response) -> None:
    """Gives the browser a session."""
    response.set_cookie(
        SESSION_COOKIE,
        gateway.box.mint(SESSION_PURPOSE, SESSION_LIFE_S),
        max_age=int(SESSION_LIFE_S),
        httponly=True,
        samesite="strict",
    )


class Guard:
    """Wraps an ASGI application: checks host and origin on management paths, and gives every
    answer its name and the headers that keep browsers from guessing types or framing pages.

    The name is left in `scope["dragoman.request_id"]`.
    """

    def __init__(self, gateway: Gateway, app: Any) -> None:
        self._gateway = gateway
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        headers = dict(scope["headers"])
        name = scope["dragoman.request_id"] = request_id(headers)
        structlog.contextvars.bind_contextvars(request_id=name)
        own = [(b"x-request-id", name.encode()), *_SAFE_HEADERS]

        async def send_safely(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *own]
            await send(message)

        try:
            if scope["path"].strip("/").split("/")[0] == "admin" or scope["path"].strip("/") == "":
                check_host(self._gateway, headers)
                check_origin(scope["method"], headers)
        except Forbidden as error:
            response = error_response(ErrorShape.OPENAI, error, name)
            await response(scope, receive, send_safely)
            return
        if scope["method"] == "HEAD":  # answered as a GET, whose body the server leaves out
            scope = {**scope, "method": "GET"}
        await self._app(scope, receive, send_safely)
