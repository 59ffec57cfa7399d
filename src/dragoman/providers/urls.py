"""Base URLs as people write them, and the URL of each request.

A base URL may come with or without its version segment, with trailing slashes, or as the whole
address of an endpoint copied from some documentation; all of these mean the same place.
`normalize` gives every one of them the same text. A `#` at the end says "this is complete: add
no version segment"; it stays in the normalised text, so that normalising twice changes nothing,
and `complete` takes it off for use.

Azure has two layouts (learn.microsoft.com, "API version lifecycle"): the v1 API under
`/openai/v1`, which needs no `api-version`, and the older one, a path per deployment with a dated
`api-version` in the query. The Responses API is only used from the former.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote, urlencode, urlsplit

from dragoman.errors import ConfigError
from dragoman.protocols import OPERATIONS, Operation, Protocol
from dragoman.providers.provider import Provider

AZURE_DEPLOYMENT_LIST = "/openai/deployments?api-version=2023-03-15-preview"

# `/v1`, `/v1beta`, `/api/v3`; `/v1beta/openai` too: Gemini, DeepInfra, PPIO and Novita keep their
# OpenAI-shaped API one step below the version.
_VERSIONED = re.compile(r"/(v\d+(?:beta\d*)?)(?:/openai)?$")
_TRAILING_VERSION = re.compile(r"/v\d+(?:beta\d*)?$")
_MODEL_PATH = re.compile(r"/models/[^/]+:\w+$")
_ENDPOINTS = tuple(
    sorted(
        {o.path for o in OPERATIONS if "{model}" not in o.path}
        | {"/models", "/api/tags", "/api/chat", "/api/generate"},
        key=len,
        reverse=True,
    )
)
_AZURE_LAYOUT = re.compile(r"(?:/openai(?:/v1|/deployments(?:/[^/]+)?)?)?$")
_DATED = re.compile(r"\d{4}-\d{2}-\d{2}")


def normalize(url: str, version: str = "v1") -> str:
    """The one text for every way to write the base URL `url`, with `version` added where it has
    no version segment ("" adds none). The text ends in `#` where no segment may be added later.

    Raises ConfigError without the URL's credentials in its message.
    """
    text = url.strip()
    is_complete = text.endswith("#")
    text = _checked(text.rstrip("#"))
    base = _without_endpoint(text)
    if is_complete:
        return base + "#"
    if _VERSIONED.search(base):
        return base
    # A whole endpoint without a version shows that this server has none.
    if base != text or not version:
        return base + "#"
    return f"{base}/{version}"


def complete(normalized: str) -> str:
    """A normalised base URL as it is used: no `#`, no trailing slash."""
    return normalized.removesuffix("#")


def version_of(normalized: str) -> str:
    """The version segment that a row's URL ends with, "" where it has none."""
    found = _VERSIONED.search(normalized)
    return found[1] if found else ""


def without_version(base_url: str) -> str:
    """What stands in front of the version segment."""
    return _TRAILING_VERSION.sub("", base_url)


def host_of(url: str) -> str:
    """The host name in lower case, "" where there is none."""
    return urlsplit(url).hostname or ""


def relocate(given: str, known: Mapping[Protocol, str]) -> dict[Protocol, str]:
    """Where the URLs `known` of a service lie when it is reached at `given` instead.

    A mirror, a regional host or a reverse proxy keeps the paths of the original, so the paths
    tell which of the known URLs `given` corresponds to (the longest that fits), and where the
    others are. Empty where none fits. Known URLs on other hosts stay where they are.
    """
    by_path = sorted(known.values(), key=lambda url: len(_path(url)), reverse=True)
    for candidate in by_path:
        path = _path(candidate)
        if path and given.endswith(path):
            root = given.removesuffix(path)
            return {
                protocol: root + _path(url) if _origin(url) == _origin(candidate) else url
                for protocol, url in known.items()
            }
    return {}


def azure_root(url: str) -> str:
    """The part of an Azure address in front of `/openai`, whichever of its layouts was given."""
    base = _without_endpoint(_checked(url.strip().rstrip("#")))
    return _AZURE_LAYOUT.sub("", base, count=1)


def is_dated(api_version: str) -> bool:
    """Whether an Azure `api-version` belongs to the older layout (`2024-10-21`, not `preview`)."""
    return _DATED.match(api_version) is not None


def endpoint_url(provider: Provider, operation: Operation, model: str) -> str:
    """The full URL of `operation`, the provider's query included; `model` is its own model id.

    Streams of Gemini need `alt=sse` on top: see `with_query`.
    """
    base = provider.base_urls[operation.protocol]
    url = (base + operation.path).replace("{model}", quote(model, safe=""))
    return with_query(url, provider.query.get(operation.protocol, {}))


def with_query(url: str, query: Mapping[str, str]) -> str:
    """`url` with `query` added to whatever query it has."""
    if not query:
        return url
    return f"{url}{'&' if '?' in url else '?'}{urlencode(query)}"


def _checked(text: str) -> str:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise ConfigError("This base URL is no URL; give one like https://host/v1.") from error
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ConfigError("A base URL starts with http:// or https:// and a host name.")
    if parts.username is not None or parts.password is not None:
        raise ConfigError(
            "A base URL holds no user name or password; put the key into `api_key`, or a header "
            "into `headers`."
        )
    if parts.query or "?" in text:
        raise ConfigError(
            "A base URL holds no query; Azure's `api-version` goes into `api_version`."
        )
    if "#" in text:
        raise ConfigError("A base URL holds no fragment; a `#` may only be its last character.")
    if re.search(r"[\s\x00-\x1f\x7f\\{}]", text):
        raise ConfigError("A base URL holds no spaces, braces, backslashes or control characters.")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    authority = host if port is None else f"{host}:{port}"
    return f"{parts.scheme}://{authority}{re.sub('/+', '/', parts.path).rstrip('/')}"


def _without_endpoint(text: str) -> str:
    if _MODEL_PATH.search(_path(text)):
        return _without_endpoint(_MODEL_PATH.sub("", text))
    for path in _ENDPOINTS:
        if _path(text).endswith(path):
            return _without_endpoint(text.removesuffix(path).rstrip("/"))
    return text


def _path(url: str) -> str:
    return urlsplit(url).path


def _origin(url: str) -> str:
    return urlsplit(url).netloc
