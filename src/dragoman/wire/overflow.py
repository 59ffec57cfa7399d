"""A prompt that does not fit into the model's context, as each provider says it.

Clients act on it: Codex looks for the code `context_length_exceeded`, Claude Code for the words
"prompt is too long: N tokens > M maximum", and both then shorten the conversation. So whatever a
provider's words are, they become these.

The words are those of OpenAI and vLLM ("This model's maximum context length is M tokens.
However, ... N tokens"), Anthropic, Gemini and Vertex ("The input token count (N) exceeds the
maximum number of tokens allowed (M)"), llama.cpp ("request (N tokens) exceeds the available
context size (M tokens)"), Mistral, Bedrock ("Input is too long"), xAI ("maximum prompt length is
M but the request contains N tokens"), and what resembles them.
"""

from __future__ import annotations

import re

from dragoman.errors import UpstreamRefused

CODE = "context_length_exceeded"

_CODES = frozenset({CODE, "exceed_context_size_error", "context_window_exceeded"})
_STATUSES = frozenset({400, 413, 422, 500})
_WORDS = re.compile(
    r"prompt is too long|input is too long for requested model"
    r"|maximum context length|exceeds? (?:the )?(?:model's |available )?context (?:size|length)"
    r"|exceeds? (?:the |this )?(?:model's )?(?:maximum )?context (?:window|limit)"
    r"|input token count .{0,40}exceeds the maximum|maximum prompt length is"
    r"|context (?:window|length) (?:is |was )?exceeded|too large for model with .{0,20}context",
    re.IGNORECASE,
)
# A cap on the answer that is too high is another matter: the client is to lower it, and Claude Code
# reads Anthropic's own words for that too.
_CAP = re.compile(r"max_(?:completion_|output_)?tokens.{0,60}(?:too large|exceed)", re.IGNORECASE)
_NUMBER = r"(\d[\d,_]*)"
_LIMITS = re.compile(
    rf"(?:maximum|max|limit|allowed|available|size)\D{{0,40}}?{_NUMBER}|> {_NUMBER}", re.IGNORECASE
)
_NUMBERS = re.compile(rf"(?<![\w.]){_NUMBER}(?![\w.]*\w)")


def recognise(error: UpstreamRefused) -> UpstreamRefused:
    """`error`, or where it tells of an overflow the same with its stable code and status 400.

    The provider's own body is kept only where it has that code, or Anthropic's words, already.
    """
    if error.status not in _STATUSES:
        return error
    if error.code not in _CODES and not _WORDS.search(error.message):
        return error
    if _CAP.search(error.message):
        return error
    says_it = CODE.encode() in error.body or b"prompt is too long" in error.body
    return UpstreamRefused(
        error.message,
        status=400,
        body=error.body if says_it and error.status == 400 else b"",
        code=CODE,
        param=error.param,
        headers=error.headers,
    )


def anthropic_words(message: str) -> str:
    """What Anthropic would have said, with the numbers where the provider told them."""
    if "prompt is too long" in message:
        return message
    numbers = [_value(number) for number in _NUMBERS.findall(message)]
    stated = _LIMITS.search(message)
    if stated is None or len(numbers) < 2:
        return f"prompt is too long: {message}"
    limit = _value(stated[1] or stated[2])
    larger = [number for number in numbers if number > limit]
    if not larger:
        return f"prompt is too long: {message}"
    return f"prompt is too long: {larger[0]} tokens > {limit} maximum"


def _value(number: str) -> int:
    return int(number.replace(",", "").replace("_", ""))
