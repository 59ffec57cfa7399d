"""Secrets of a provider's spec, masked on the way out and put back on the way in.

A client that edits a provider shows what it was given and sends it back. So a masked secret that
comes in stands for the stored secret whose mask it is, and nobody has to type a key again in
order to change a name.
"""

from __future__ import annotations

from typing import Any

from dragoman.config.rendering import hide
from dragoman.providers.spec import ProviderSpec
from dragoman.secrets import mask


def mask_spec(spec: ProviderSpec) -> ProviderSpec:
    """`spec` as it may be shown: keys, header values and passwords in URLs are masked."""
    hidden: dict[str, Any] = {
        "api_key": mask(spec.api_key) if spec.api_key else None,
        "api_keys": [mask(key) for key in spec.api_keys],
        "headers": {name: mask(value) for name, value in spec.headers.items()},
        "proxy": hide(spec.proxy, "proxy"),
        "set": hide(spec.set, "set"),
    }
    return spec.model_copy(update=hidden)


def unmask_spec(spec: ProviderSpec, stored: ProviderSpec) -> ProviderSpec:
    """`spec` with every mask replaced by the secret of `stored` that it stands for.

    Of several stored keys with the same mask each stands in once, in their order. A mask that
    stands for nothing stays, and is refused later: no key has such a character in it.
    """
    shown = mask_spec(stored)
    keys = [key for key in (stored.api_key, *stored.api_keys) if key]
    found: dict[str, Any] = {
        "api_key": _take(keys, spec.api_key) if spec.api_key else None,
        "api_keys": [_take(keys, key) for key in spec.api_keys],
        "headers": {
            name: stored.headers[name] if value == shown.headers.get(name) else value
            for name, value in spec.headers.items()
        },
    }
    for name in ("proxy", "set"):
        if getattr(spec, name) == getattr(shown, name):
            found[name] = getattr(stored, name)
    return spec.model_copy(update=found)


def _take(keys: list[str], shown: str) -> str:
    """The first of `keys` that is shown so, taken out of them; else `shown` itself."""
    for position, key in enumerate(keys):
        if mask(key) == shown:
            return keys.pop(position)
    return shown
