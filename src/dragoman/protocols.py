"""The protocols that Dragoman relays and the operations that each of them has.

A *protocol* is a language that a client or a provider speaks (the names are those of
`protocols` in the configuration file). An *operation* is one thing that can be asked in it: one
row below is one route of the gateway and one path at the provider, so that both are derived
from the same table and cannot disagree.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


class Protocol(StrEnum):
    """A wire language; the value is its name in the configuration file."""

    CHAT = "chat"
    RESPONSES = "responses"
    MESSAGES = "messages"
    GEMINI = "gemini"
    EMBEDDINGS = "embeddings"
    COMPLETIONS = "completions"


class ErrorShape(StrEnum):
    """How a family of protocols frames an error body."""

    OPENAI = "openai"
    ANTHROPIC = "anthropic"
    GEMINI = "gemini"


@dataclass(frozen=True, slots=True)
class Operation:
    """One request that a client can make.

    `path` is relative to the version segment (`/v1`, or `/v1beta` for Gemini, where `{model}`
    stands for the model id). `streams` says how a streamed answer is asked for: by the body's
    `stream` field, by calling this operation at all, or never. `required` names the members,
    besides `model`, without which a body is no request of this operation.
    """

    name: str
    protocol: Protocol
    error_shape: ErrorShape
    path: str
    streams: Literal["body", "always", "never"] = "body"
    required: tuple[str, ...] = ()


CHAT = Operation(
    "chat", Protocol.CHAT, ErrorShape.OPENAI, "/chat/completions", required=("messages",)
)
RESPONSES = Operation("responses", Protocol.RESPONSES, ErrorShape.OPENAI, "/responses")
INPUT_TOKENS = Operation(
    "input_tokens", Protocol.RESPONSES, ErrorShape.OPENAI, "/responses/input_tokens", "never"
)
EMBEDDINGS = Operation(
    "embeddings", Protocol.EMBEDDINGS, ErrorShape.OPENAI, "/embeddings", "never", ("input",)
)
COMPLETIONS = Operation("completions", Protocol.COMPLETIONS, ErrorShape.OPENAI, "/completions")
MESSAGES = Operation(
    "messages", Protocol.MESSAGES, ErrorShape.ANTHROPIC, "/messages", required=("messages",)
)
COUNT_TOKENS = Operation(
    "count_tokens",
    Protocol.MESSAGES,
    ErrorShape.ANTHROPIC,
    "/messages/count_tokens",
    "never",
    ("messages",),
)
GENERATE_CONTENT = Operation(
    "generate_content",
    Protocol.GEMINI,
    ErrorShape.GEMINI,
    "/models/{model}:generateContent",
    "never",
    ("contents",),
)
STREAM_GENERATE_CONTENT = Operation(
    "stream_generate_content",
    Protocol.GEMINI,
    ErrorShape.GEMINI,
    "/models/{model}:streamGenerateContent",
    "always",
    ("contents",),
)
GEMINI_COUNT_TOKENS = Operation(
    "gemini_count_tokens",
    Protocol.GEMINI,
    ErrorShape.GEMINI,
    "/models/{model}:countTokens",
    "never",
)

OPERATIONS: tuple[Operation, ...] = (
    CHAT,
    RESPONSES,
    INPUT_TOKENS,
    EMBEDDINGS,
    COMPLETIONS,
    MESSAGES,
    COUNT_TOKENS,
    GENERATE_CONTENT,
    STREAM_GENERATE_CONTENT,
    GEMINI_COUNT_TOKENS,
)
