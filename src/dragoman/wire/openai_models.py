"""What an OpenAI model takes, by its name.

Evidence for the efforts: the API reference of `reasoning.effort` (before gpt-5.1 no `none`, from
then on no `minimal`; `xhigh` after gpt-5.1-codex-max) and the model pages (`max` since gpt-5.6;
codex models cannot go without reasoning). Chat models and everything before gpt-5 and the
o-series do not reason, and refuse `reasoning` and encrypted reasoning with a 400. Explicit cache
breakpoints came with gpt-5.6 (prompt caching guide).
"""

from __future__ import annotations

import re

from dragoman.reasoning import OFF
from dragoman.wire import Target

_GPT = re.compile(r"gpt-(\d+)(?:\.(\d+))?")
_O_SERIES = re.compile(r"(?:^|[/:])o\d")


def efforts_of(target: Target) -> tuple[str, ...] | None:
    """The efforts that the model takes, weakest first; none at all where it does not reason, and
    None where nobody knows."""
    if target.reasons is False:
        return ()
    if not target.genuine:
        return None
    model = target.model.lower()
    version = _version(model)
    if version is None:
        return ("low", "medium", "high") if _O_SERIES.search(model) else None
    if version < (5, 0) or "-chat" in model:
        return None if target.reasons else ()
    if version < (5, 1):
        return (
            ("low", "medium", "high") if "codex" in model else ("minimal", "low", "medium", "high")
        )
    efforts = ("low", "medium", "high")
    if version >= (5, 2) or "codex-max" in model:
        efforts += ("xhigh",)
    if version >= (5, 6):
        efforts += ("max",)
    return efforts if "codex" in model else (OFF, *efforts)


def takes_breakpoints(target: Target) -> bool:
    """Whether cache breakpoints may stand in the input."""
    version = _version(target.model.lower())
    return target.genuine and version is not None and version >= (5, 6)


def _version(model: str) -> tuple[int, int] | None:
    found = _GPT.search(model)
    return (int(found[1]), int(found[2] or 0)) if found else None
