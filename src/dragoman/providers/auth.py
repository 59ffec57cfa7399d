"""The headers that show a provider its key.

Most services read `authorization`. The exceptions, and what their own clients do:

- Anthropic reads `x-api-key`. Services that offer Messages beside another protocol differ:
  DeepSeek documents `x-api-key`, Moonshot and OpenRouter document `ANTHROPIC_AUTH_TOKEN`, which
  Claude Code sends as `authorization`, Vercel takes either. They get both.
- Azure reads `api-key`; for Claude in Foundry, Anthropic's SDK sends `x-api-key` and `api-key`.
- Gemini reads `x-goog-api-key`, but its OpenAI-shaped paths document `authorization`. Never
  both: Google refuses a request that carries two credentials.
"""

from __future__ import annotations

from dragoman.protocols import Protocol
from dragoman.providers.provider import Auth, Provider

ANTHROPIC_VERSION = "2023-06-01"
"""The `anthropic-version` for a request whose caller sent none."""


def auth_headers(
    provider: Provider, key: str | None, protocol: Protocol
) -> list[tuple[bytes, bytes]]:
    """The headers that carry `key` for a request in `protocol`; none without a key.

    A provider that needs no key still gets one that its owner has set: local servers can be
    started with one.
    """
    if not key:
        return []
    return [_header(scheme, key) for scheme in _schemes(provider.auth, protocol)]


def _schemes(auth: Auth, protocol: Protocol) -> tuple[Auth, ...]:
    match auth, protocol:
        case (Auth.X_API_KEY, Protocol.MESSAGES):
            return (Auth.X_API_KEY,)
        case (Auth.API_KEY, Protocol.MESSAGES):
            return (Auth.X_API_KEY, Auth.API_KEY)
        case (Auth.API_KEY, _):
            return (Auth.API_KEY,)
        case (_, Protocol.MESSAGES):
            return (Auth.X_API_KEY, Auth.BEARER)
        case (_, Protocol.GEMINI):
            return (Auth.X_GOOG_API_KEY,)
        case _:
            return (Auth.BEARER,)


def _header(scheme: Auth, key: str) -> tuple[bytes, bytes]:
    if scheme is Auth.BEARER:
        return b"authorization", b"Bearer " + key.encode()
    return scheme.value.encode(), key.encode()
