"""Tool-call ids that fit each protocol, and their way back.

Ids are made by one provider and read by another: Kimi's `functions.Bash:0` breaks Anthropic's
charset, some clients join two ids with a bar. An id that does not fit is written in base64 behind
a mark, and read back from it; one that is too long even so is replaced by its digest, which still
ties a result to its call within one request.
"""

from __future__ import annotations

import binascii
import hashlib
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode

LONGEST = 64
"""What Anthropic and OpenAI Responses take; OpenAI Chat takes 40."""

_FITS = re.compile(r"[A-Za-z0-9_-]+")
_PACKED = "dgmid_"
_DIGEST = "dgmhash_"


def fit(id: str, longest: int = LONGEST) -> str:
    """`id` in letters, digits, `_` and `-`, at most `longest` of them (not below 40)."""
    if len(id) <= longest and _FITS.fullmatch(id) and not id.startswith((_PACKED, _DIGEST)):
        return id
    packed = _PACKED + urlsafe_b64encode(id.encode("utf-8", "surrogatepass")).decode().rstrip("=")
    if len(packed) <= longest:
        return packed
    return _DIGEST + hashlib.sha256(id.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def unfit(id: str) -> str:
    """What `fit` was given, where that can be known."""
    if not id.startswith(_PACKED):
        return id
    packed = id[len(_PACKED) :]
    try:
        return urlsafe_b64decode(packed + "=" * (-len(packed) % 4)).decode("utf-8", "surrogatepass")
    except (binascii.Error, ValueError):
        return id
