"""What a Gemini model takes, by the version and the size in its name.

Evidence, from Google's guides to thinking, thought signatures and function calling: 2.5 is told a
budget, 3 and later a level, and either refuses the other's word; thinking cannot be switched off
in 2.5 Pro (its smallest budget is 128) nor in 3. The levels are low and high in 3 Pro, with
medium from 3.1 Pro on; 3 to 3.5 Flash add minimal, which later ones do not list. From 3 on the
first call of each step must carry a signature, and tool results may hold media. Names without a
version are taken for models of other makers, but for Google's own `-latest` names.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_VERSION = re.compile(r"gemini-(\d+)(?:\.(\d+))?(?:-(pro|flash-lite|flash))?")
_LATEST = re.compile(r"gemini-(pro|flash-lite|flash)-latest")
_NEWEST = (3, 8)


class Generation(NamedTuple):
    """The version of a Gemini model; (0, 0) where its name tells none."""

    major: int
    minor: int
    size: str = ""

    @property
    def levels(self) -> tuple[str, ...]:
        """The efforts that it can be told as a level, rising; empty where it takes none."""
        if self < (3, 0):
            return ()
        if self.size == "pro":
            return ("low", "high") if self < (3, 1) else ("low", "medium", "high")
        every = ("minimal", "low", "medium", "high")
        return every if self < (3, 6) else every[1:]

    @property
    def budgets(self) -> tuple[int, int] | None:
        """The smallest and the largest thinking budget; None where it takes none."""
        if not (2, 5) <= self < (3, 0):
            return None
        if self.size == "pro":
            return 128, 32768
        return (512 if self.size == "flash-lite" else 1), 24576

    @property
    def may_rest(self) -> bool:
        """Whether thinking can be switched off."""
        return self < (3, 0) and self.size != "pro"

    @property
    def strict_signatures(self) -> bool:
        """Refuses a step whose first call has no signature."""
        return self >= (3, 0)

    @property
    def media_results(self) -> bool:
        """Takes media inside tool results."""
        return self >= (3, 0)


def generation_of(model: str) -> Generation:
    """The generation that a model id names: `gemini-2.5-flash-preview-09-2025` is 2.5."""
    name = model.lower()
    if found := _VERSION.search(name):
        return Generation(int(found[1]), int(found[2] or 0), found[3] or "")
    if found := _LATEST.search(name):
        return Generation(*_NEWEST, found[1])
    return Generation(0, 0)
