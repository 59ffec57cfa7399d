"""The neutral form that every wire protocol is decoded into and encoded from.

No protocol is the hub: the form holds the union of what the four protocols can say, and a codec
that cannot say something reports a `Loss`. All values are frozen; nothing here does I/O, reads a
clock or makes an id.

A conversation is a list of messages, a message is a role and ordered parts. System text is a
message too and stays where the caller put it. Every part, message and tool knows `at`, the place
it has in the caller's own request (`messages.0.content.2`), so that a loss can be named in the
caller's words; `Request.name` does the same for parameters.

A stream is a sequence of events:

    Start (PartStart (Delta | Sealing | Cited)* PartEnd)* Finished

or, from any point on, ends in one `StreamError`. Part indexes count 0, 1, 2 and only one part is
open at a time. That is the strict grammar, which encoders may rely on. Decoders emit the *loose*
one: parts may interleave, an index may be any number that no open part has, the `PartEnd` of a
tool call may be missing (whole arguments or `Finished` imply it), and `KeepAlive` may stand
anywhere; `sequencer` turns the loose grammar into the strict one.

JSON values whose shape is the business of others (schemas, unknown fields) are plain Python
objects as msgspec decodes them.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from dragoman.errors import DragomanError
from dragoman.protocols import Protocol


class Origin(msgspec.Struct, frozen=True):
    """Who made a value that only its maker can read: the provider's id and the protocol it was
    spoken in. An empty provider means that nobody knows."""

    provider: str
    protocol: Protocol


class Sealed(msgspec.Struct, frozen=True, omit_defaults=True):
    """Reasoning state that only its origin can read: Anthropic's signature or redacted data,
    OpenAI's encrypted content, Gemini's thought signature.

    `value` may be empty where the thinking text itself is the state (`reasoning_content`): the
    origin alone then says where that text may be replayed. `id` is the name that the origin gave
    to the item (OpenAI Responses' reasoning item id), where it has one.
    """

    value: str
    origin: Origin
    id: str | None = None


class Loss(msgspec.Struct, frozen=True):
    """Something that the target cannot express: its place in the caller's request, and why."""

    path: str
    why: str


class Cache(msgspec.Struct, frozen=True, omit_defaults=True):
    """A prompt cache breakpoint behind the thing that carries it; `ttl` in the caller's words
    (`5m` and `1h` at Anthropic, `30m` and `12h` at OpenAI), None for the provider's default."""

    ttl: str | None = None


class Citation(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a piece of the answer's text comes from.

    `start` and `end` are character offsets into the part's text (end exclusive), where known.
    `raw` is the annotation as `protocol` words it, for an exact copy in the same protocol.
    """

    url: str | None = None
    title: str | None = None
    quote: str | None = None
    start: int | None = None
    end: int | None = None
    raw: dict[str, Any] | None = None
    protocol: Protocol | None = None


class Logprob(msgspec.Struct, frozen=True, omit_defaults=True):
    """One output token's log probability and its likeliest alternatives; `bytes` is its UTF-8."""

    token: str
    logprob: float
    bytes: list[int] | None = None
    top_logprobs: tuple[Logprob, ...] = ()


class Role(StrEnum):
    """Who speaks. Chat's and Responses' `developer` is its own role where it stands; other
    protocols read it as system. Tool results are parts of user messages."""

    SYSTEM = "system"
    DEVELOPER = "developer"
    USER = "user"
    ASSISTANT = "assistant"


class MediaKind(StrEnum):
    """What a media part holds."""

    IMAGE = "image"
    AUDIO = "audio"
    VIDEO = "video"
    DOCUMENT = "document"


class ToolKind(StrEnum):
    """How a tool takes its input: a JSON object that follows a schema, or raw text."""

    FUNCTION = "function"
    CUSTOM = "custom"


class Part(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag=True):
    """What all parts have. `extras` are members that the caller's protocol has and this form does
    not; they survive only a translation into the same protocol."""

    at: str = ""
    cache: Cache | None = None
    extras: dict[str, Any] = {}


class Text(Part, frozen=True, tag="text"):
    """Text. `sealed` is set by Gemini, which signs text parts too."""

    text: str
    citations: tuple[Citation, ...] = ()
    logprobs: tuple[Logprob, ...] = ()
    sealed: Sealed | None = None


class Thinking(Part, frozen=True, tag="thinking"):
    """Reasoning: its text (or summary), and the state that its origin wants back.

    `redacted` thinking has no text, only state. `summary` says that the text summarises the
    reasoning rather than being it (OpenAI Responses' summary parts).
    """

    text: str
    sealed: Sealed | None = None
    redacted: bool = False
    summary: bool = False


class ToolCall(Part, frozen=True, tag="tool_call"):
    """A call that the model made.

    `arguments` is the JSON text of an object for a function (`{}` when it takes none, never
    empty) and the raw input for a custom tool. `namespace` is the group that Codex put the tool
    in. `sealed` is Gemini's thought signature.
    """

    id: str
    name: str
    arguments: str = "{}"
    kind: ToolKind = ToolKind.FUNCTION
    namespace: str | None = None
    sealed: Sealed | None = None


class Media(Part, frozen=True, tag="media"):
    """An image, sound, film or document, from exactly one source.

    `data` is base64 without a `data:` prefix, `url` is http(s) or a provider's own scheme,
    `file_id` names a file kept by the provider, `text` is a document's plain text. `media_type`
    is empty where the caller did not say. `name` is a file name or title; `detail` is OpenAI's
    image detail; `context` and `cite` are Anthropic's document context and citation switch.
    """

    kind: MediaKind
    data: str | None = None
    url: str | None = None
    file_id: str | None = None
    text: str | None = None
    media_type: str = ""
    name: str | None = None
    detail: str | None = None
    context: str | None = None
    cite: bool = False
    sealed: Sealed | None = None


class Refusal(Part, frozen=True, tag="refusal"):
    """The model's own words for declining."""

    text: str


class ToolReference(Part, frozen=True, tag="tool_reference"):
    """A deferred tool that a search has found: from here on the model may call it by `name`."""

    name: str


class Opaque(Part, frozen=True, tag="opaque"):
    """A block that only its own protocol knows, kept whole.

    `value` is the block as JSON. `text` is a plain wording of it for other protocols; without
    one, the block is lost there, or refused where it is `essential` to the request's meaning.
    """

    value: dict[str, Any]
    protocol: Protocol
    text: str | None = None
    essential: bool = False


class ToolResult(Part, frozen=True, tag="tool_result"):
    """What a tool call gave. `id` is the call's; `name` is the tool's, where the caller said it."""

    id: str
    parts: tuple[AnyPart, ...] = ()
    is_error: bool = False
    name: str | None = None
    kind: ToolKind = ToolKind.FUNCTION


AnyPart = Text | Thinking | ToolCall | ToolResult | Media | Refusal | ToolReference | Opaque


class Message(msgspec.Struct, frozen=True, omit_defaults=True):
    """One turn. `name` tells participants of the same role apart."""

    role: Role
    parts: tuple[AnyPart, ...]
    name: str | None = None
    extras: dict[str, Any] = {}
    at: str = ""


class Tool(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A tool that the client runs.

    `parameters` is its JSON Schema exactly as given (None: no parameters), `format` a custom
    tool's grammar as OpenAI words it. A `deferred` tool is to be shown to the model only once a
    `ToolReference` names it. `extras` as in `Part`.
    """

    name: str
    kind: ToolKind = ToolKind.FUNCTION
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None
    format: dict[str, Any] | None = None
    namespace: str | None = None
    namespace_description: str | None = None
    deferred: bool = False
    cache: Cache | None = None
    extras: dict[str, Any] = {}
    at: str = ""


class ServerTool(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A tool that the provider runs (web search, code execution), as `protocol` words it."""

    type: str
    value: dict[str, Any]
    protocol: Protocol
    name: str | None = None
    at: str = ""


class ChoiceMode(StrEnum):
    """Which tools the model may or must call. `NAMED` forces the first of `ToolChoice.tools`;
    with other modes a non-empty `tools` restricts the choice to them."""

    AUTO = "auto"
    NONE = "none"
    REQUIRED = "required"
    NAMED = "named"


class ToolName(msgspec.Struct, frozen=True, omit_defaults=True):
    """A tool's full name."""

    name: str
    namespace: str | None = None
    kind: ToolKind = ToolKind.FUNCTION


class ToolChoice(msgspec.Struct, frozen=True, omit_defaults=True):
    """The caller's tool choice. `server` is a choice of a server tool in the protocol's words."""

    mode: ChoiceMode
    tools: tuple[ToolName, ...] = ()
    server: dict[str, Any] | None = None


class Format(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Structured output: any JSON object when `schema` is None, else JSON that follows it."""

    schema: dict[str, Any] | None = None
    name: str | None = None
    description: str | None = None
    strict: bool | None = None


class ReasoningMode(StrEnum):
    """Whether the model is to reason: not at all, as it sees fit, only between tool calls
    (Anthropic), or (with a budget or an effort) yes."""

    OFF = "off"
    ON = "on"
    ADAPTIVE = "adaptive"
    BETWEEN_TOOLS = "between_tools"


class Reasoning(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How much the model is to reason and how much of it is to be shown.

    `effort` is one of `reasoning.EFFORTS`; `budget` is in tokens. `display` is `summarized` or
    `omitted` (Anthropic), `summary` is `auto`, `concise` or `detailed` (OpenAI Responses),
    `show` is Gemini's includeThoughts. Fields that are None were not said.
    """

    mode: ReasoningMode | None = None
    effort: str | None = None
    budget: int | None = None
    display: str | None = None
    summary: str | None = None
    show: bool | None = None


class Memory(msgspec.Struct, frozen=True):
    """A conversation that a server is asked to remember: the caller's field (`thread`,
    `previous_response_id`, `conversation`) and its value."""

    field: str
    value: Any


class Request(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One request for a completion. Numbers are as the caller gave them, None where not said.

    `protocol` is the caller's. `names` maps fields of this form to the caller's names for them
    where they differ (`max_tokens` -> `generationConfig.maxOutputTokens`). `extras` are top-level
    members that only the caller's protocol knows. `stream_usage` is Chat's `include_usage`.
    """

    protocol: Protocol
    model: str
    messages: tuple[Message, ...]
    tools: tuple[Tool | ServerTool, ...] = ()
    tool_choice: ToolChoice | None = None
    parallel: bool | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()
    n: int | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    format: Format | None = None
    verbosity: str | None = None
    reasoning: Reasoning | None = None
    cache: Cache | None = None
    cache_key: str | None = None
    user: str | None = None
    safety_identifier: str | None = None
    metadata: dict[str, Any] | None = None
    service_tier: str | None = None
    store: bool | None = None
    memory: Memory | None = None
    stream: bool = False
    stream_usage: bool = False
    extras: dict[str, Any] = {}
    names: dict[str, str] = {}

    def name(self, field: str) -> str:
        """What the caller calls `field`."""
        return self.names.get(field, field)


class Usage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Tokens of one answer, in disjoint counts: their sum is the total.

    `input` is fresh input, `cache_read` came from the cache, `cache_write` went into it for the
    short lifetime (5 minutes at Anthropic, 30 at OpenAI) and `cache_write_long` for the long one
    (1 and 12 hours). `output` is what can be seen, `reasoning` what was thought; a provider that
    does not tell them apart reports all of it as `output`. `searches` counts server-run web
    searches, which are billed apart.
    """

    input: int = 0
    cache_read: int = 0
    cache_write: int = 0
    cache_write_long: int = 0
    output: int = 0
    reasoning: int = 0
    searches: int = 0

    @property
    def all_input(self) -> int:
        """Every input token, cached or not: what OpenAI and Gemini call the prompt's tokens."""
        return self.input + self.cache_read + self.cache_write + self.cache_write_long

    @property
    def all_output(self) -> int:
        """Every output token, reasoning included."""
        return self.output + self.reasoning


class FinishReason(StrEnum):
    """Why the model stopped. `PAUSE`: the provider wants the turn sent back to go on with it."""

    STOP = "stop"
    STOP_SEQUENCE = "stop_sequence"
    LENGTH = "length"
    CONTEXT_WINDOW = "context_window"
    TOOL_CALLS = "tool_calls"
    CONTENT_FILTER = "content_filter"
    REFUSAL = "refusal"
    PAUSE = "pause"
    ERROR = "error"


class Finish(msgspec.Struct, frozen=True, omit_defaults=True):
    """The end of an answer. `sequence` is the stop sequence that was hit; `category` and
    `explanation` belong to a refusal or a filter."""

    reason: FinishReason
    sequence: str | None = None
    category: str | None = None
    explanation: str | None = None


class Choice(msgspec.Struct, frozen=True, omit_defaults=True):
    """One of several answers to the same request."""

    parts: tuple[AnyPart, ...]
    finish: Finish


class Response(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A whole answer. `others` are the choices beyond the first, where `n` asked for them.
    `id`, `model` and `created` (Unix seconds) are the provider's own; `extras` as in `Part`."""

    parts: tuple[AnyPart, ...]
    finish: Finish
    usage: Usage = Usage()
    id: str = ""
    model: str = ""
    created: int | None = None
    service_tier: str | None = None
    others: tuple[Choice, ...] = ()
    extras: dict[str, Any] = {}


class Start(msgspec.Struct, frozen=True):
    """The answer begins. `usage` is what is known of the input by now."""

    id: str = ""
    model: str = ""
    usage: Usage = Usage()
    created: int | None = None
    service_tier: str | None = None


class PartStart(msgspec.Struct, frozen=True):
    """A part begins. What `part` already holds is content that no delta repeats: text, thinking
    and a call's `arguments` may start empty, partly filled or whole (an empty `arguments` here
    means that nothing has come yet); media, opaque and redacted parts are whole."""

    index: int
    part: AnyPart


class Delta(msgspec.Struct, frozen=True):
    """More of the open part: of its text, thinking, refusal, or arguments."""

    index: int
    text: str
    logprobs: tuple[Logprob, ...] = ()


class Sealing(msgspec.Struct, frozen=True):
    """The state of the open part; where more than one comes, their values are joined."""

    index: int
    sealed: Sealed


class Cited(msgspec.Struct, frozen=True):
    """A citation of the open text part."""

    index: int
    citation: Citation


class PartEnd(msgspec.Struct, frozen=True):
    """A part is complete."""

    index: int


class Finished(msgspec.Struct, frozen=True):
    """The answer is complete; `usage` holds its final totals."""

    finish: Finish
    usage: Usage = Usage()


class StreamError(msgspec.Struct, frozen=True):
    """The answer ends in a failure: the provider's own, or its silence."""

    error: DragomanError


class KeepAlive(msgspec.Struct, frozen=True):
    """The provider is still there; nothing else happened."""


Event = Start | PartStart | Delta | Sealing | Cited | PartEnd | Finished | StreamError | KeepAlive
