"""Gemini's generateContent and streamGenerateContent, version v1beta.

What is its own here, seen from the other protocols: the model and whether a stream is wanted stand
in the path, not in the body, so `decode_request` leaves `model` empty (unless the body names one,
as countTokens may) and `stream` false, and whoever reads the path puts them in. Turns are
`contents` of role `user` or `model`, made of parts; a part is a bare object that has one data
member (`text`, `inlineData`, `functionCall` ...) and no type. Calls and results are tied together
by name and order, and by an id only where there is one. Thinking is text with `thought: true`; a
`thoughtSignature` may sit on any part and must come back on that same part; of parallel calls
only the first has one. Tool and answer schemas come in a dialect of OpenAPI, or as JSON Schema
under another name. Google takes names in camelCase and in snake_case, and one object where an
array of one is meant.

A stream is a row of whole answers, each with the next parts; it has no terminal event but the
`finishReason`. Usage excludes thinking from the candidates' tokens and includes cached tokens in
the prompt's.

Facts are those of the API reference as Google's own Python SDK, google-genai 3.6, types it; what
holds for some models only is in `generations`.
"""

from __future__ import annotations

from dragoman.wire.gemini.answers import decode_response, encode_response
from dragoman.wire.gemini.request_reader import decode_request
from dragoman.wire.gemini.request_writer import encode_request
from dragoman.wire.gemini.streams import stream_decoder, stream_encoder

__all__ = [
    "decode_request",
    "decode_response",
    "encode_request",
    "encode_response",
    "stream_decoder",
    "stream_encoder",
]
