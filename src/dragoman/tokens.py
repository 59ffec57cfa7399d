"""How many input tokens a request has: counted here, without asking anybody.

The text is counted with a vocabulary that ships with the program: the model's own where it is
public (OpenAI's, Llama 3's, Qwen's), else the nearest one, times a factor that was measured
(`docs/tokens.md` has the table and its sources). What a chat template and a tool list add is
counted by rule, images and documents by `media_tokens`. So a count is an estimate, and a stable
one: the same request gives the same number on every machine.

Counting 20 KB takes well under a millisecond. A vocabulary is read on first use, which takes a
quarter of a second and up to 60 MB, and then stays. The tokenizer holds Python's lock while it
reads, so there is nothing to be won by a thread.
"""

from __future__ import annotations

import functools
import importlib
import math
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, cast

import msgspec

from dragoman import ir
from dragoman.media_tokens import Rates, cells, gemini_tiles, patches, tiles

_PER_REQUEST = 3
_PER_MESSAGE = 4
_PER_TOOL = 8
_PER_CALL = 8


@dataclass(frozen=True, slots=True)
class Family:
    """Models that count alike.

    `factor` is how many of the family's tokens one of `vocabulary`'s stands for. `tool_prompt`
    is what the vendor tells the model once there is any tool, `forced_prompt` the same where the
    model has to call one. `frames_system` says whether system text is a message like others.
    """

    vocabulary: str
    factor: float
    media: Rates
    tool_prompt: int = 12
    forced_prompt: int = 12
    frames_system: bool = True


_O200K, _CL100K, _LLAMA3, _QWEN3 = "o200k_base", "cl100k_base", "llama3", "qwen3"

_CLAUDE_TODAY = Family(
    _O200K, 1.5, Rates(cells(2576, 4784), page=2350), 346, 313, frames_system=False
)
_CLAUDE = Family(_O200K, 1.15, Rates(cells(1568, 1568), page=2100), 346, 313, frames_system=False)
_GEMINI_TODAY = Family(_O200K, 1.1, Rates(lambda _: 1120, page=560, sound=32, film=70))
_GEMINI = Family(_O200K, 1.1, Rates(gemini_tiles, page=258, sound=32))
_OTHERS = Rates(cells(1568, 1568))


def _openai(rates: Rates, vocabulary: str = _O200K) -> Family:
    return Family(vocabulary, 1.0, rates)


# Searched in this order, in the lower-cased model id; the first match counts.
_FAMILIES = tuple(
    (re.compile(pattern), family)
    for pattern, family in (
        (r"claude-(?:opus|sonnet|haiku|fable|mythos)-(?:4[.-][7-9]|[5-9])(?!\d)", _CLAUDE_TODAY),
        (r"claude", _CLAUDE),
        (r"gemini-[3-9]", _GEMINI_TODAY),
        (r"gemini|gemma", _GEMINI),
        (r"gpt-4o-mini", _openai(Rates(tiles(2833, 5667), low=2833))),
        (r"(?:gpt-4\.1|gpt-5(?:\.\d)?)-mini", _openai(Rates(patches(1.62)))),
        (r"(?:gpt-4\.1|gpt-5(?:\.\d)?)-nano", _openai(Rates(patches(2.46)))),
        (r"o4-mini", _openai(Rates(patches(1.72)))),
        (r"gpt-5\.[2-9]|gpt-[6-9]", _openai(Rates(patches(1.0, 2500)))),
        (r"gpt-5", _openai(Rates(tiles(70, 140), low=70))),
        (r"(?:^|[/.:-])o[13](?:$|-)", _openai(Rates(tiles(75, 150), low=75))),
        (r"gpt-4(?:o|\.)|chatgpt-4o", _openai(Rates(tiles(85, 170), low=85))),
        (r"gpt-4|gpt-3\.5|gpt-35", _openai(Rates(tiles(85, 170), low=85), _CL100K)),
        (r"llama-?3", Family(_LLAMA3, 1.0, _OTHERS)),
        (r"qwen|qwq", Family(_QWEN3, 1.0, _OTHERS)),
        (r"", Family(_O200K, 1.0, _OTHERS)),
    )
)


def family(model: str) -> Family:
    """The family of a model id, known or not."""
    name = model.lower()
    return next(found for pattern, found in _FAMILIES if pattern.search(name))


def count_text(text: str, model: str) -> int:
    """The tokens of `text` alone. Loads the model's vocabulary on first use."""
    found = family(model)
    return math.ceil(_count((text,), found) * found.factor)


def count_request(request: ir.Request, model: str) -> int:
    """The input tokens of `request` at `model`: messages, tools, images and documents."""
    found = family(model)
    text = _count(_texts(request), found) * found.factor
    media = sum(
        found.media.count(part)
        for part in _all_parts(request)
        if isinstance(part, ir.Media) and part.text is None
    )
    return math.ceil(text) + media + _overhead(request, found)


@functools.cache
def _counter(vocabulary: str) -> Callable[[str], int]:
    """The function that counts a text's tokens. The package has no types."""
    quicktok: Any = importlib.import_module("quicktok")
    return cast("Callable[[str], int]", quicktok.get_encoding(vocabulary).count)


def _count(texts: Iterable[str], found: Family) -> int:
    return sum(map(_counter(found.vocabulary), texts))


def _overhead(request: ir.Request, found: Family) -> int:
    """What the template puts around messages, calls and tools."""
    tokens = _PER_REQUEST
    for message in request.messages:
        if found.frames_system or message.role not in (ir.Role.SYSTEM, ir.Role.DEVELOPER):
            tokens += _PER_MESSAGE
    for part in _all_parts(request):
        if isinstance(part, ir.ToolCall | ir.ToolResult):
            tokens += _PER_CALL
    tools = _shown_tools(request)
    if tools:
        choice = request.tool_choice
        forced = choice is not None and choice.mode in _FORCED
        tokens += found.forced_prompt if forced else found.tool_prompt
    return tokens + _PER_TOOL * len(tools)


_FORCED = (ir.ChoiceMode.REQUIRED, ir.ChoiceMode.NAMED)


def _texts(request: ir.Request) -> Iterator[str]:
    """Everything that the model reads as text."""
    for message in request.messages:
        if message.name:
            yield message.name
    for part in _all_parts(request):
        yield from _part_texts(part)
    for tool in _shown_tools(request):
        if isinstance(tool, ir.ServerTool):
            yield _json(tool.value)
            continue
        yield tool.name
        if tool.description:
            yield tool.description
        yield _json(tool.format if tool.parameters is None else tool.parameters)
    if request.format is not None and request.format.schema is not None:
        yield _json(request.format.schema)


def _part_texts(part: ir.AnyPart) -> Iterator[str]:
    match part:
        case ir.Text() | ir.Thinking() | ir.Refusal():
            yield part.text
        case ir.ToolCall():
            yield part.name
            yield part.arguments
        case ir.Media(text=str(text)):
            yield text
        case ir.Opaque():
            yield _json(part.value) if part.text is None else part.text
        case ir.ToolReference():
            yield part.name
        case ir.ToolResult() | ir.Media():
            pass


def _all_parts(request: ir.Request) -> Iterator[ir.AnyPart]:
    """Every part, those within tool results included."""
    for message in request.messages:
        for part in message.parts:
            yield part
            if isinstance(part, ir.ToolResult):
                yield from part.parts


def _shown_tools(request: ir.Request) -> list[ir.Tool | ir.ServerTool]:
    """The tools that the model sees: a deferred one only once it was found."""
    found = {part.name for part in _all_parts(request) if isinstance(part, ir.ToolReference)}
    return [
        tool
        for tool in request.tools
        if isinstance(tool, ir.ServerTool) or not tool.deferred or tool.name in found
    ]


def _json(value: Any) -> str:
    return "" if value is None else msgspec.json.encode(value).decode()
