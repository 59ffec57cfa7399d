"""What is said in one request, where the owner has switched that on (`log_bodies`).

Only the beginning of each body is kept, so that a long stream costs no memory. Secrets are taken
out before anything is stored: keys and tokens are known by their look or by the name of the member
that holds them, and those of the provider as they are. That is a net and no proof: whatever else a
user types into a prompt stands in the transcript as it was typed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from dragoman.store.requests import Bodies

REDACTED = "[redacted]"

_SECRETS = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"
    r"|\b(?:sk|pk|rk|gsk|xai|hf|r8|ghp|gho|ghs|github_pat|glpat|xox[a-z]|pplx|nvapi)[-_]"
    r"[A-Za-z0-9_-]{12,}"
    r"|\bAIza[A-Za-z0-9_-]{30,}"
    r"|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"
    r"|\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+"
    r"|(?<=://)[^/\s:@\"]+:[^/\s@\"]+(?=@)"
    r"|(?<=[Bb]earer )[A-Za-z0-9._~+/=-]{8,}",
    re.DOTALL,
)
_NAMES = (
    r"[\w-]*(?:api[_-]?key|authorization|passw(?:or)?d|passphrase|secret|credentials?"
    r"|(?:access|refresh|auth|session|id|bearer)[_-]?token)[\w-]*"
)
_MEMBERS = re.compile(rf"(\"{_NAMES}\"\s*:\s*\")(?:[^\"\\]|\\.)+", re.IGNORECASE)
_MEMBERS_WITHIN_TEXT = re.compile(
    rf"(\\\"{_NAMES}\\\"\s*:\s*\\\")(?:[^\"\\]|\\\\(?:\\\"|\\\\|[^\"\\]))+", re.IGNORECASE
)
"""The same in JSON that is itself a string of JSON, as the arguments of a tool are."""


class View:
    """The beginning of one body, and its size."""

    __slots__ = ("_limit", "_start", "size")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._start = bytearray()
        self.size = 0

    def add(self, data: bytes) -> None:
        """Takes more of the body."""
        self.size += len(data)
        room = self._limit - len(self._start)
        if room > 0:
            self._start += data[:room]

    def text(self, secrets: Iterable[str]) -> str | None:
        """The body as it may be stored; None where there was none."""
        if not self.size:
            return None
        text = redact(self._start.decode("utf-8", "replace"), secrets)
        if self.size > len(self._start):
            text += f"\n[cut: {self.size} bytes in all]"
        return text


class Transcript:
    """The four views of one request: between client and gateway, and between gateway and provider
    in the latest attempt. `limit` is in bytes, for each."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.client_request = View(limit)
        self.client_response = View(limit)
        self.upstream_request = View(limit)
        self.upstream_response = View(limit)

    def begin_attempt(self, request: bytes) -> None:
        """Forgets what an earlier attempt said, and takes the body that now goes upstream."""
        self.upstream_request = View(self._limit)
        self.upstream_response = View(self._limit)
        self.upstream_request.add(request)

    def bodies(self, *, translated: bool, secrets: Iterable[str]) -> Bodies:
        """What is to be stored. A request that was relayed has two views only: upstream the same
        was said as here."""
        secrets = tuple(secrets)
        return Bodies(
            client_request=self.client_request.text(secrets),
            upstream_request=self.upstream_request.text(secrets) if translated else None,
            upstream_response=self.upstream_response.text(secrets) if translated else None,
            client_response=self.client_response.text(secrets),
        )


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """`text` without what looks like a secret, and without `secrets` themselves."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, REDACTED)
    text = _SECRETS.sub(REDACTED, text)
    for members in (_MEMBERS, _MEMBERS_WITHIN_TEXT):
        text = members.sub(rf"\1{REDACTED}", text)
    return text
