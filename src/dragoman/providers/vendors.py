"""Which providers are the vendor of a protocol itself, rather than a copy of its API."""

from __future__ import annotations

from dragoman.protocols import Protocol
from dragoman.providers.provider import Provider
from dragoman.providers.urls import host_of

_HOSTS = {
    Protocol.CHAT: ("api.openai.com", ".openai.azure.com", ".services.ai.azure.com"),
    Protocol.RESPONSES: ("api.openai.com", ".openai.azure.com", ".services.ai.azure.com"),
    Protocol.MESSAGES: ("api.anthropic.com",),
    Protocol.GEMINI: ("generativelanguage.googleapis.com", "-aiplatform.googleapis.com"),
}


def is_genuine(provider: Provider, protocol: Protocol) -> bool:
    """Whether the provider is `protocol`'s own vendor, so that fields which copies of the API
    mostly lack may be sent."""
    host = host_of(provider.base_urls.get(protocol, ""))
    return host.endswith(_HOSTS.get(protocol, ())) and host != ""
