"""The management API: everything under `/admin`, for the pages in the browser, for commands and for
scripts. `docs/management.md` describes it for its users."""

from fastapi import APIRouter

from dragoman.http.admin import (
    keys,
    models,
    presets,
    prices,
    providers,
    requests,
    session,
    settings,
    status,
    usage,
)
from dragoman.http.admin.route import TAG_NAME

TAG = {
    "name": TAG_NAME,
    "description": "Providers, keys and the state of the gateway, for whoever owns it.",
}

router = APIRouter()
_PARTS = (status, providers, presets, models, keys, usage, requests, prices, settings, session)
for part in _PARTS:
    router.include_router(part.router)
