"""OpenAI Responses.

What is its own here, seen from the other protocols: a conversation is a flat list of items, and
messages are only one kind of them, beside reasoning, calls and outputs; the system prompt may
stand outside it as `instructions`; an answer may be remembered by the server and be gone on from
by id; reasoning comes as a summary and an encrypted state that must come back with it; tools may
take raw text (`custom`) and stand in groups (`namespace`); functions are strict unless they say
otherwise; there are no stop sequences, penalties or seeds.

Streams carry one response: `response.created` and `response.in_progress`, then the life of each
item, then the whole response again in `response.completed`, `.incomplete` or `.failed`.

Facts are those of the API reference as OpenAI's own Python SDK 3.57 types it; what holds for some
models only is in `generations`.
"""

from __future__ import annotations

from dragoman.wire.openai_responses.answers import decode_response, encode_response
from dragoman.wire.openai_responses.request_reader import decode_request
from dragoman.wire.openai_responses.request_writer import encode_request
from dragoman.wire.openai_responses.stream_reader import stream_decoder
from dragoman.wire.openai_responses.stream_writer import stream_encoder

__all__ = [
    "decode_request",
    "decode_response",
    "encode_request",
    "encode_response",
    "stream_decoder",
    "stream_encoder",
]
