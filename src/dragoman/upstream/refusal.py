"""An error answer of a provider, read and made safe to show."""

from __future__ import annotations

import time

from dragoman.errors import UpstreamRefused
from dragoman.header_policy import client_headers
from dragoman.protocols import ErrorShape
from dragoman.providers.provider import Provider
from dragoman.secrets import mask
from dragoman.upstream.rate_limits import read_wait
from dragoman.upstream.seam import Response
from dragoman.wire.error_bodies import decode_error, in_shape
from dragoman.wire.overflow import recognise

_LONGEST_BODY = 256 * 1024


async def read_refusal(
    response: Response, provider: Provider, shape: ErrorShape
) -> UpstreamRefused:
    """The error for an answer whose status is no success; the response is closed.

    The status, the message and `retry-after` are the provider's. A body that already has the
    caller's `shape` is kept as it is, except where the provider refused the gateway's own
    credentials: the caller must learn that the fault is not in the key that it sent. A key of the
    provider that the provider quotes back is masked.
    """
    body = _mask_keys(await response.read(_LONGEST_BODY), provider)
    await response.aclose()
    status = response.status
    told = decode_error(body)
    headers = [
        header for header in client_headers(response.headers) if header[0] != b"content-type"
    ]
    if 300 <= status < 400:
        redirected = UpstreamRefused(
            f"The provider `{provider.id}` answered with a redirect (HTTP {status}), which is not"
            " followed: correct its `base_url`.",
            status=502,
        )
        redirected.lasts = True
        return redirected
    if status in {401, 403}:
        message = (
            f"The provider `{provider.id}` refused the gateway's credentials (HTTP {status}):"
            f" {told.message or 'it gave no reason'}"
        )
        return UpstreamRefused(message, status=status, code=told.code, headers=headers)
    refused = UpstreamRefused(
        told.message or f"The provider `{provider.id}` answered HTTP {status} without a message.",
        status=status,
        body=body if in_shape(shape, body) else b"",
        code=told.code,
        param=told.param,
        retry_after=read_wait(response.headers, body, status, time.time()),
        headers=headers,
    )
    return recognise(refused)


def _mask_keys(body: bytes, provider: Provider) -> bytes:
    for key in provider.api_keys:
        if (secret := key.encode()) and secret in body:
            body = body.replace(secret, mask(key).encode())
    return body
