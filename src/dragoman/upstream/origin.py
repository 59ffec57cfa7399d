"""Where a URL leads: the host to connect to, and what the request line and `host` header say."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote, urlsplit

from dragoman.errors import UpstreamUnreachable

_DEFAULT_PORTS = {"http": 80, "https": 443}
# Whatever is visible ASCII stays as the provider's URL has it; the rest cannot stand in a request
# line and is percent-encoded.
_SAFE = "".join(map(chr, range(0x21, 0x7F)))


@dataclass(frozen=True, slots=True)
class Origin:
    """The two ends of a pooled connection; `host` is lower case, without IPv6 brackets."""

    secure: bool
    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Target:
    """One URL taken apart: `authority` is the `host` header, `path` begins with a slash and
    includes the query."""

    origin: Origin
    authority: str
    path: str

    @property
    def url(self) -> str:
        """The URL put together again, in the form in which it is sent."""
        return f"{'https' if self.origin.secure else 'http'}://{self.authority}{self.path}"


@lru_cache(maxsize=2048)
def locate(url: str) -> Target:
    """Takes `url` apart; few distinct URLs are ever used, so the work is done once for each.

    Raises `UpstreamUnreachable` for what is not `http(s)://host[:port]/path`. The message leaves
    the URL out, since a query may hold a secret.
    """
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").encode("ascii" if url.isascii() else "idna").decode("ascii")
        default_port = _DEFAULT_PORTS[parts.scheme]
        port = parts.port or default_port
    except (ValueError, KeyError) as error:
        raise _not_a_url() from error
    if not host or not host.isprintable() or " " in host:
        raise _not_a_url()
    if parts.username is not None or parts.password is not None:
        raise UpstreamUnreachable(
            f"The provider's URL for {host} holds a user name or password; leave it out of "
            "base_url and give the provider an `authorization` header under `headers`."
        )
    origin = Origin(parts.scheme == "https", host, port)
    bracketed = f"[{host}]" if ":" in host else host
    authority = bracketed if port == default_port else str(origin)
    path = quote((parts.path or "/") + (f"?{parts.query}" if parts.query else ""), safe=_SAFE)
    return Target(origin, authority, path)


def _not_a_url() -> UpstreamUnreachable:
    return UpstreamUnreachable(
        "The provider's URL is not one; write base_url as http(s)://host[:port]/path."
    )
