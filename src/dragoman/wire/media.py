"""What a media part's bytes are, where the caller did not say."""

from __future__ import annotations

import binascii
from base64 import b64decode

from dragoman import ir

_IMAGE_BEGINNINGS = {
    "/9j/": "image/jpeg",
    "iVBORw": "image/png",
    "R0lGOD": "image/gif",
    "UklGR": "image/webp",
    "JVBERi": "application/pdf",
}


def media_type_of(media: ir.Media, default: str) -> str:
    """The media type: the caller's word, else what the base64 data begins like, else `default`."""
    if media.media_type:
        return media.media_type
    data = media.data or ""
    for beginning, media_type in _IMAGE_BEGINNINGS.items():
        if data.startswith(beginning):
            return media_type
    return default


def split_data_url(url: str) -> tuple[str, str] | None:
    """Media type and base64 data of a `data:` URL, None for any other URL (or one whose data is
    not base64)."""
    if not url.startswith("data:"):
        return None
    head, comma, data = url[len("data:") :].partition(",")
    if not comma or not head.endswith(";base64"):
        return None
    return head.removesuffix(";base64").partition(";")[0], data


def data_url(media: ir.Media, default: str) -> str:
    """The part's data as a `data:` URL."""
    return f"data:{media_type_of(media, default)};base64,{media.data}"


def text_of(media: ir.Media) -> str | None:
    """The text of a document that is plain text, None of any other."""
    if media.text is not None:
        return media.text
    if media.data is None or not media.media_type.startswith("text/"):
        return None
    try:
        return b64decode(media.data, validate=True).decode()
    except (binascii.Error, ValueError):
        return None
