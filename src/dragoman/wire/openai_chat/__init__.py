"""OpenAI Chat Completions, and the dialects of the many who copied it.

What is its own here: a message is one string (or parts, for users) beside a list of tool calls, so
that the order of text and calls within a turn is not kept; a tool result is a message of its own
and mostly text; input token counts include cached ones and output counts include reasoning;
system text may stand anywhere; a stream repeats one shape, whose `delta` says which piece grows,
and ends with a finish reason, then usage in a chunk without choices, then `[DONE]`.

OpenAI shows no reasoning here. What others have agreed on is read and written: the text as
`reasoning_content` (DeepSeek; `reasoning` at some), structured state as `reasoning_details`
(OpenRouter), a thought signature of Gemini's under a call's `extra_content`.

Facts are those of the API reference as OpenAI's own Python SDK 3.57 types it.
"""

from __future__ import annotations

from dragoman.wire.openai_chat.answers import decode_response, encode_response
from dragoman.wire.openai_chat.request_reader import decode_request
from dragoman.wire.openai_chat.request_writer import encode_request
from dragoman.wire.openai_chat.streams import stream_decoder, stream_encoder

__all__ = [
    "decode_request",
    "decode_response",
    "encode_request",
    "encode_response",
    "stream_decoder",
    "stream_encoder",
]
