"""`GET /v1/models` and `GET /v1/models/{id}`: one list that OpenAI's and Anthropic's SDKs read."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

from starlette.responses import JSONResponse, Response

from dragoman.errors import InvalidRequest, ModelNotFound, ProviderNotFound
from dragoman.gateway import Gateway
from dragoman.http.routes import ModelsRoute
from dragoman.keys import GatewayKey
from dragoman.providers.provider import Model, Provider
from dragoman.routing import Router


def answer_models(gateway: Gateway, key: GatewayKey, route: ModelsRoute, query: bytes) -> Response:
    """The list, or the one model that the path names; only models that `key` may use.

    Raises InvalidRequest for a bad parameter, ProviderNotFound and ModelNotFound.
    """
    entries = _entries(gateway.router, key, route.provider_id)
    if route.model is None:
        return JSONResponse(_page(entries, query.decode("latin-1")))
    for entry in entries:
        if route.model in {entry["id"], entry["bare"]}:
            return JSONResponse(_shown(entry))
    raise ModelNotFound(
        f"There is no model `{route.model}`. GET /v1/models lists what there is.", param="model"
    )


def _entries(router: Router, key: GatewayKey, provider_id: str | None) -> list[dict[str, Any]]:
    if provider_id is None:
        found = [_describe(provider, model) for provider, model in router.models()]
        found = [_describe_alias(router, alias) for alias in router.aliases] + found
    else:
        if provider_id not in router.providers:
            raise ProviderNotFound(f"There is no provider `{provider_id}`.")
        found = [_describe(p, model) for p, model in router.models() if p.id == provider_id]
    return [entry for entry in found if key.allows(entry["id"])]


def _describe(provider: Provider, model: Model) -> dict[str, Any]:
    entry = {
        "id": f"{provider.id}:{model.id}",
        "bare": model.id,
        "object": "model",
        "type": "model",
        "name": model.name,
        "display_name": model.name,
        "created": model.created,
        "created_at": datetime.fromtimestamp(model.created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "owned_by": model.owned_by or provider.name,
        "provider": provider.id,
        "provider_type": provider.type,
    }
    if model.context_length is not None:
        entry["context_length"] = entry["max_input_tokens"] = model.context_length
    if model.max_output is not None:
        entry["max_tokens"] = model.max_output
    return entry


def _describe_alias(router: Router, alias: str) -> dict[str, Any]:
    first = router.aliases[alias].names[0]
    provider = router.providers.get(first.partition(":")[0])
    return {
        "id": alias,
        "bare": alias,
        "object": "model",
        "type": "model",
        "name": alias,
        "display_name": alias,
        "created": 0,
        "created_at": "1970-01-01T00:00:00Z",
        "owned_by": "dragoman",
        "provider": provider.id if provider else "",
        "provider_type": provider.type if provider else "",
    }


def _shown(entry: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if name != "bare"}


def _page(entries: list[dict[str, Any]], query: str) -> dict[str, Any]:
    parameters = {name: values[-1] for name, values in parse_qs(query, True).items()}
    wanted_type = parameters.get("providerType")
    if wanted_type is not None:
        entries = [entry for entry in entries if entry["provider_type"] == wanted_type]
    total = len(entries)
    offset = _count(parameters, "offset", 0)
    if (after := parameters.get("after_id")) is not None:
        offset += _position(entries, after, "after_id") + 1
    limit = _count(parameters, "limit", total)
    if "limit" in parameters and limit == 0:
        raise InvalidRequest("`limit` must be at least 1.", param="limit")
    page = [_shown(entry) for entry in entries[offset : offset + limit]]
    return {
        "object": "list",
        "data": page,
        "total": total,
        "has_more": offset + limit < total,
        "first_id": page[0]["id"] if page else None,
        "last_id": page[-1]["id"] if page else None,
    }


def _count(parameters: dict[str, str], name: str, default: int) -> int:
    text = parameters.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit()) or len(text) > 9:
        raise InvalidRequest(f"`{name}` must be a whole number, 0 or more.", param=name)
    return int(text)


def _position(entries: list[dict[str, Any]], model_id: str, name: str) -> int:
    for position, entry in enumerate(entries):
        if entry["id"] == model_id:
            return position
    raise InvalidRequest(f"`{name}` names no model of this list.", param=name)
