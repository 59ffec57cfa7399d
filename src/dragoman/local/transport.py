"""The transport for `local://MODEL/path`: holds a running model while its answer arrives."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from urllib.parse import unquote, urlsplit

from dragoman.errors import UpstreamError
from dragoman.local.process import LocalModels
from dragoman.upstream.seam import Headers, Request, Response, Transport

SCHEME = "local://"


class LocalTransport:
    """A `seam.Transport` that starts the model of the URL on first use and sends over `http`."""

    def __init__(self, models: LocalModels, http: Transport) -> None:
        self._models = models
        self._http = http

    async def send(self, request: Request) -> Response:
        """As `seam.Transport.send`; the process counts a user until the answer is closed."""
        parts = urlsplit(request.url)
        async with AsyncExitStack() as stack:
            endpoint = await stack.enter_async_context(self._models.use(unquote(parts.netloc)))
            query = f"?{parts.query}" if parts.query else ""
            response = await self._http.send(
                replace(
                    request,
                    url=endpoint.base_url.removesuffix("/v1") + parts.path + query,
                    headers=[
                        *request.headers,
                        (b"authorization", f"Bearer {endpoint.api_key}".encode()),
                    ],
                )
            )
            return _HeldResponse(response, stack.pop_all())

    async def aclose(self) -> None:
        """Ends every model's process; the HTTP transport belongs to somebody else."""
        await self._models.aclose()


class _HeldResponse:
    """A response whose failures are explained by the end of the model's process, if that is why."""

    def __init__(self, response: Response, stack: AsyncExitStack) -> None:
        self._response = response
        self._stack = stack
        self.status = response.status
        self.headers: Headers = response.headers

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._response:
                yield chunk
        except UpstreamError as error:
            await self._leave(error)
            raise

    async def read(self, limit: int | None = None) -> bytes:
        try:
            return await self._response.read(limit)
        except UpstreamError as error:
            await self._leave(error)
            raise

    async def aclose(self) -> None:
        await self._response.aclose()
        await self._stack.aclose()

    async def _leave(self, error: UpstreamError) -> None:
        await self._stack.__aexit__(type(error), error, error.__traceback__)
