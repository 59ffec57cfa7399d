"""The management API: everything under `/admin`, for the pages in the browser, for commands and for
scripts. `docs/management.md` describes it for its users."""

from fastapi import APIRouter

from dragoman.http.admin import keys, models, presets, providers, session, settings, status
from dragoman.http.admin.route import TAG_NAME

TAG = {
    "name": TAG_NAME,
    "description": "Providers, keys and the state of the gateway, for whoever owns it.",
}

router = APIRouter()
for part in (status, providers, presets, models, keys, settings, session):
    router.include_router(part.router)
