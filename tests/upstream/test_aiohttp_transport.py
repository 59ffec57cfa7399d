"""What is aiohttp's own: its exceptions, and proxies."""

from __future__ import annotations

import inspect
import ssl

import aiohttp
import pytest
from aiohttp import client_exceptions, http_exceptions
from aiohttp.client_reqrep import ConnectionKey, RequestInfo
from multidict import CIMultiDict, CIMultiDictProxy
from scripted_upstream import Close, ScriptedUpstream, answer, head, script
from yarl import URL

from dragoman.errors import UpstreamError, UpstreamUnreachable
from dragoman.upstream.aiohttp_transport import AiohttpTransport, explain
from dragoman.upstream.seam import Request

SECRET_URL = URL("https://api.example/v1?key=secret")
_INFO = RequestInfo(SECRET_URL, "POST", CIMultiDictProxy(CIMultiDict()), SECRET_URL)
_KEY = ConnectionKey("api.example", 443, True, True, None, None, None)
_REFUSED = ConnectionRefusedError(111, "refused")


def make(kind: type[Exception]) -> Exception:
    """An exception of this kind, as aiohttp would make it."""
    if issubclass(kind, aiohttp.ClientConnectorCertificateError):
        return kind(_KEY, ssl.SSLCertVerificationError(1, "unknown issuer"))
    if issubclass(kind, client_exceptions.UnixClientConnectorError):
        return kind("/socket", _KEY, _REFUSED)
    if issubclass(kind, aiohttp.ClientConnectorError):
        return kind(_KEY, _REFUSED)
    if issubclass(kind, aiohttp.ClientResponseError):
        return kind(_INFO, (), status=407)
    if issubclass(kind, aiohttp.ServerFingerprintMismatch):
        return kind(b"a", b"b", "api.example", 443)
    if issubclass(kind, aiohttp.InvalidURL):
        return kind(SECRET_URL)
    if issubclass(kind, http_exceptions.LineTooLong):
        return kind(b"x", 1)
    if kind is http_exceptions.HttpProcessingError:
        return kind(message="secret")
    return kind("secret")


KINDS = [
    kind
    for module in (client_exceptions, http_exceptions)
    for _, kind in inspect.getmembers(module, inspect.isclass)
    if issubclass(kind, aiohttp.ClientError | http_exceptions.HttpProcessingError)
]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("proxy", [None, "http://proxy.example:3128"])
def test_every_exception_is_mapped(kind, proxy):
    failure = explain(make(kind), "api.example:443", proxy)
    assert isinstance(failure, UpstreamError)
    assert "api.example" in failure.message
    assert "secret" not in failure.message
    assert failure.message.endswith(".")


async def test_an_http_proxy_carries_a_plain_request():
    async with ScriptedUpstream() as proxy:
        proxy.on("*", answer(b"ok"))
        transport = AiohttpTransport()
        response = await transport.send(
            Request("POST", "http://p.example/v1", ((b"x-a", b"1"),), b"{}", proxy=proxy.url)
        )
        assert await response.read() == b"ok"
        assert proxy.requests[0].target == "http://p.example/v1"
        assert proxy.requests[0].header("host") == "p.example"
        await transport.aclose()


async def test_a_proxy_that_refuses_a_tunnel_is_named():
    async with ScriptedUpstream() as proxy:
        proxy.on("*", script(head(403, {"content-length": "0"}), Close()))
        transport = AiohttpTransport()
        with pytest.raises(UpstreamUnreachable, match=r"refused a tunnel to p\.example:443 .* 403"):
            await transport.send(Request("GET", "https://p.example/", (), proxy=proxy.url))
        assert proxy.requests[0].method == "CONNECT"
        await transport.aclose()


async def test_a_proxy_that_is_not_there_is_named():
    transport = AiohttpTransport()
    with pytest.raises(UpstreamUnreachable, match=r"proxy 127\.0\.0\.1:1 refuses"):
        await transport.send(Request("GET", "http://p.example/", (), proxy="http://127.0.0.1:1"))
    await transport.aclose()


@pytest.mark.parametrize("proxy", ["nonsense", "socks5://127.0.0.1:1"])
async def test_a_proxy_that_is_not_a_url_is_refused(proxy):
    transport = AiohttpTransport()
    with pytest.raises(UpstreamUnreachable, match="proxy"):
        await transport.send(Request("GET", "http://p.example/", (), proxy=proxy))
    await transport.aclose()
