"""What a Claude model takes, by the version in its name.

Evidence: adaptive thinking came with 4.6, and from 4.7 on the budget form is a 400, as are
`temperature`, `top_p` and `top_k` (Anthropic's guides to adaptive thinking and to migrating to
Opus 4.7). From 4.1 up to then, temperature and top_p exclude each other. System turns inside the
conversation are taken from 4.8 on, and only by Anthropic itself (its guide to mid-conversation
system messages). Names without a version are taken for models of other makers, which copy the
older behaviour.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_VERSION = re.compile(r"claude-(?:[a-z]+-)?(\d{1,2})(?:[.-](\d{1,2}))?(?!\d)")


class Generation(NamedTuple):
    """The version of a Claude model; (0, 0) where its name tells none."""

    major: int
    minor: int

    @property
    def adaptive(self) -> bool:
        """Thinks adaptively, guided by an effort; older models want a budget."""
        return self >= (4, 6)

    @property
    def samples(self) -> bool:
        """Takes temperature, top_p and top_k."""
        return self < (4, 7)

    @property
    def one_sampler(self) -> bool:
        """Takes temperature or top_p, not both."""
        return self >= (4, 1)

    @property
    def system_turns(self) -> bool:
        """Takes system messages inside the conversation."""
        return self >= (4, 8)


def generation_of(model: str) -> Generation:
    """The generation that a model id names: `claude-opus-4-5-20251101` is 4.5."""
    found = _VERSION.search(model.lower())
    if found is None:
        return Generation(0, 0)
    return Generation(int(found[1]), int(found[2] or 0))
