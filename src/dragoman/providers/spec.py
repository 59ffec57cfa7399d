"""A provider as a person writes it: one `[[providers]]` table, or the body of an admin request."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from dragoman.protocols import Protocol

ProviderId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]*$", max_length=64)]


class Strict(BaseModel):
    """A model that refuses keys it does not know, so that a typing error is not ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ModelSpec(Strict):
    """A model listed by hand. Limits are in tokens."""

    id: str = Field(min_length=1)
    name: str | None = None
    context_length: int | None = Field(default=None, gt=0)
    max_output: int | None = Field(default=None, gt=0)
    abilities: list[str] = []


class TimeoutSpec(Strict):
    """Limits in seconds on one attempt at a provider."""

    connect_s: float = Field(default=10, gt=0)
    first_byte_s: float = Field(default=600, gt=0)
    idle_s: float = Field(default=300, gt=0)
    total_s: float | None = Field(default=None, gt=0)


class ProviderSpec(Strict):
    """What can be said of a provider. Everything that is left out comes from its preset, then
    from its type. Exactly as in the configuration file; `api_key` is short for one `api_keys`."""

    id: ProviderId
    preset: str | None = Field(default=None, description="a known service, such as deepseek")
    type: str | None = Field(
        default=None, description="what kind of server it is, such as openai-compatible"
    )
    name: str | None = Field(default=None, description="what people call it")
    base_url: str | None = Field(
        default=None, description="its address; the version segment may be left out"
    )
    base_urls: dict[Protocol, str] = Field(
        default={}, description="addresses of protocols that live elsewhere"
    )
    api_key: str | None = Field(default=None, description="its key; short for one `api_keys`")
    api_keys: list[str] = Field(
        default=[], description="its keys, which take turns and stand in for each other"
    )
    api_version: str | None = Field(default=None, description="Azure OpenAI's `api-version`")
    models: list[str | ModelSpec] | None = Field(
        default=None, description="its models; left out, the provider is asked for them"
    )
    protocols: list[Protocol] | None = Field(
        default=None, description="what it speaks natively; left out, what its type does"
    )
    headers: dict[str, str] = Field(default={}, description="headers to send to it")
    enabled: bool = Field(default=True, description="whether requests may go to it")
    timeout: TimeoutSpec = TimeoutSpec()
    proxy: str | None = Field(default=None, description="URL of an HTTP proxy for this provider")
    retries: int = Field(
        default=1, ge=0, le=10, description="how often a failure that may pass is tried again"
    )
    set: dict[str, object] = Field(default={}, description="body keys to add where absent")
    drop: list[str] = Field(default=[], description="body keys to remove")
    rename: dict[str, str] = Field(default={}, description="body keys to rename")
