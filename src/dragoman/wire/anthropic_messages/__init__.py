"""Anthropic Messages, API versions 2023-06-01 and 2026-10-21.

What is its own here, seen from the other protocols: the system prompt stands outside the
messages, though newer models take system turns inside them; content is typed blocks, and thinking
is one of them, with a signature that must come back unchanged; tool results are blocks of the
next user turn, before its text; input token counts exclude what came from the cache, while
output counts include thinking; `max_tokens` is required; cache breakpoints are explicit.

Streams carry one message: `message_start`, then for each block `content_block_start`, its deltas
and `content_block_stop`, then `message_delta` with stop reason and totals, then `message_stop`.

Facts are those of the API reference as Anthropic's own Python SDK 2.13 types it; what holds for
some models only is in `generations`.
"""

from __future__ import annotations

from dragoman.wire.anthropic_messages.answers import decode_response, encode_response
from dragoman.wire.anthropic_messages.request_reader import decode_request
from dragoman.wire.anthropic_messages.request_writer import encode_request
from dragoman.wire.anthropic_messages.streams import stream_decoder, stream_encoder

__all__ = [
    "decode_request",
    "decode_response",
    "encode_request",
    "encode_response",
    "stream_decoder",
    "stream_encoder",
]
