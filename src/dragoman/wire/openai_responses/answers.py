"""Whole answers: of providers that speak Responses, and for clients that do.

An answer is a list of items, each with an id. Neighbouring texts and refusals are pieces of one
message; reasoning, calls and everything else are items of their own. State that only its maker
can read travels in the `encrypted_content` of a reasoning item, inside an envelope; state of a
text or a call stands in a reasoning item of its own, right before it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from dragoman import envelope, fold, ir
from dragoman.errors import UpstreamError, UpstreamRefused
from dragoman.protocols import Protocol
from dragoman.usage_fields import OpenAIUsage
from dragoman.wire import CallerView, Encoded, call_ids
from dragoman.wire.documents import encode, parse_answer, parse_object
from dragoman.wire.fields import object_of, objects_of
from dragoman.wire.openai_responses.content import (
    decode_citations,
    decode_logprobs,
    encode_refusal,
    encode_text,
)
from dragoman.wire.openai_responses.echo import echo
from dragoman.wire.openai_responses.tools import TOOL_SEARCH, is_search

_INCOMPLETE = {
    ir.FinishReason.LENGTH: "max_output_tokens",
    ir.FinishReason.CONTEXT_WINDOW: "max_output_tokens",
    ir.FinishReason.CONTENT_FILTER: "content_filter",
    ir.FinishReason.REFUSAL: "content_filter",
    ir.FinishReason.PAUSE: None,  # no word of OpenAI's means it
}
_STATUSES = {
    "rate_limit_exceeded": 429,
    "insufficient_quota": 429,
    "context_length_exceeded": 400,
    "invalid_prompt": 400,
    "server_error": 500,
    "vector_store_timeout": 504,
}

Item = dict[str, Any]


class Answer(msgspec.Struct):
    """A response object, as far as it is read."""

    output: list[Item] = msgspec.field(default_factory=list[Item])
    id: str = ""
    model: str = ""
    status: str | None = None
    created_at: float | None = None
    usage: OpenAIUsage | None = None
    incomplete_details: Item | None = None
    error: Item | None = None
    service_tier: str | None = None
    tool_usage: Item | None = None

    @property
    def created(self) -> int | None:
        return None if self.created_at is None else int(self.created_at)


_DECODER = msgspec.json.Decoder(Answer)


def decode_response(body: bytes, origin: ir.Origin) -> ir.Response:
    """A response object. Raises UpstreamError where it is none, or tells of a failure."""
    answer = parse_answer(body, _DECODER)
    if answer.error is not None or answer.status in ("failed", "cancelled"):
        raise failure(answer.error or {})
    if answer.status in ("queued", "in_progress"):
        raise UpstreamError("The provider works on this answer in the background.")
    if not answer.output and answer.status is None:
        raise UpstreamError("The provider's answer is no response object: it has no `output`.")
    parts = tuple(part for item in answer.output for part in read_item(item, origin))
    return ir.Response(
        parts=parts,
        finish=read_finish(answer, parts),
        usage=read_usage(answer),
        id=answer.id,
        model=answer.model,
        created=answer.created,
        service_tier=answer.service_tier,
    )


def failure(error: Item) -> UpstreamRefused:
    """The error that a failed response, or an `error` event, reports."""
    inner = object_of(error.get("error")) or error
    message = inner.get("message")
    code = inner.get("code") or inner.get("type")
    param = inner.get("param")
    known = code if isinstance(code, str) else None
    return UpstreamRefused(
        message if isinstance(message, str) else "The provider failed and did not say why.",
        status=_STATUSES.get(known or "", 400 if known and known.startswith("invalid") else 500),
        code=known,
        param=param if isinstance(param, str) else None,
    )


def read_usage(answer: Answer) -> ir.Usage:
    """Disjoint counts; web searches are counted by OpenAI, or else by their items."""
    usage = answer.usage.counts() if answer.usage else ir.Usage()
    told = object_of(object_of(answer.tool_usage).get("web_search")).get("num_requests")
    if not isinstance(told, int):
        told = sum(item.get("type") == "web_search_call" for item in answer.output)
    return msgspec.structs.replace(usage, searches=told) if told else usage


def read_finish(answer: Answer, parts: Iterable[ir.AnyPart]) -> ir.Finish:
    """Why the answer ended. Responses has no word for calls or refusals: the items tell."""
    if answer.status == "incomplete":
        reason = object_of(answer.incomplete_details).get("reason")
        cut = reason == "content_filter"
        return ir.Finish(ir.FinishReason.CONTENT_FILTER if cut else ir.FinishReason.LENGTH)
    kinds = {type(part) for part in parts}
    if ir.ToolCall in kinds:
        return ir.Finish(ir.FinishReason.TOOL_CALLS)
    return ir.Finish(ir.FinishReason.REFUSAL if ir.Refusal in kinds else ir.FinishReason.STOP)


def read_item(item: Item, origin: ir.Origin) -> tuple[ir.AnyPart, ...]:
    """The parts that one output item stands for."""
    match item.get("type"):
        case "message":
            phase = item.get("phase")
            extras = {"phase": phase} if phase else {}
            content = objects_of(item.get("content"))
            return tuple(part for value in content for part in _read_content(value, extras))
        case "reasoning":
            return (read_thinking(item, origin),)
        case "function_call" | "custom_tool_call":
            return (read_call(item),)
        case "tool_search_call" if item.get("execution") == "client":
            return (read_call(item),)
        case "image_generation_call" if isinstance(item.get("result"), str):
            return (_read_image(item),)
        case _:
            return (ir.Opaque(item, Protocol.RESPONSES),)


def read_thinking(item: Item, origin: ir.Origin) -> ir.Thinking:
    """A reasoning item: its own text where there is any, else the summary. An item with neither
    holds state alone."""
    text, summary = _texts(item.get("content")), _texts(item.get("summary"))
    id, encrypted = item.get("id"), item.get("encrypted_content")
    return ir.Thinking(
        "\n\n".join(text or summary),
        sealed=ir.Sealed(_string(encrypted), origin, _string(id) or None),
        redacted=not text and not summary,
        summary=not text,
    )


def read_call(item: Item) -> ir.ToolCall:
    """A call of a function, a custom tool or the client's tool search."""
    id = call_ids.unfit(_string(item.get("call_id") or item.get("id")))
    namespace = _string(item.get("namespace")) or None
    if item["type"] == "custom_tool_call":
        return ir.ToolCall(
            id,
            _string(item.get("name")),
            _string(item.get("input")),
            kind=ir.ToolKind.CUSTOM,
            namespace=namespace,
        )
    arguments = item.get("arguments") or "{}"
    if not isinstance(arguments, str):
        arguments = encode(arguments).decode()
    name = TOOL_SEARCH if item["type"] == "tool_search_call" else _string(item.get("name"))
    return ir.ToolCall(id, name, arguments, namespace=namespace)


def encode_response(response: ir.Response, view: CallerView) -> Encoded:
    """A response object for a Responses client."""
    items = Items(view)
    if response.others:
        items.losses.append(ir.Loss("response.choices", "Responses shows one answer"))
    finish = fold.settle(response.finish, response.parts)
    parts = (*response.parts, *closing_refusal(finish, response.parts))
    for index, part in enumerate(parts):
        items.add(part, f"response.{index}")
    refused = any(isinstance(part, ir.Refusal) for part in parts)
    end = write_end(finish, response.usage, refused=refused)
    if items.output and end["status"] == "incomplete" and items.output[-1]["type"] == "message":
        items.output[-1]["status"] = "incomplete"
    body = response_object(view, response.created, response.service_tier)
    body |= {"output": items.output, **end}
    return Encoded(encode(body), tuple(items.losses))


def response_object(
    view: CallerView, created: int | None, service_tier: str | None
) -> dict[str, Any]:
    """A response that has just begun, with what it repeats of the request."""
    return {
        "id": f"resp_{view.id}",
        "object": "response",
        "created_at": created or view.created,
        "status": "in_progress",
        "completed_at": None,
        "error": None,
        "incomplete_details": None,
        "model": view.model,
        "output": [],
        **echo(view.request),
        "service_tier": service_tier or view.request.service_tier,
        "usage": None,
    }


def write_end(finish: ir.Finish, usage: ir.Usage, *, refused: bool) -> dict[str, Any]:
    """Status, reason and counts of a complete answer. `refused`: the refusal's words are among
    its items, so that it counts as an answer."""
    written: dict[str, Any] = {"status": "completed", "usage": write_usage(usage)}
    if finish.reason in _INCOMPLETE and not (refused and finish.reason is ir.FinishReason.REFUSAL):
        written["status"] = "incomplete"
        written["incomplete_details"] = {"reason": _INCOMPLETE[finish.reason]}
    if usage.searches:
        nothing = {"image_tokens": 0, "text_tokens": 0}
        written["tool_usage"] = {
            "image_gen": {
                "input_tokens": 0,
                "input_tokens_details": nothing,
                "output_tokens": 0,
                "total_tokens": 0,
            },
            "web_search": {"num_requests": usage.searches},
        }
    return written


def write_usage(usage: ir.Usage) -> dict[str, Any]:
    """OpenAI's counts, whose totals include what their details name."""
    details: dict[str, Any] = {
        "cached_tokens": usage.cache_read,
        "cache_write_tokens": usage.cache_write + usage.cache_write_long,
    }
    if usage.cache_write_long:
        details["cache_write_tokens_details"] = {
            "ttl_30m_tokens": usage.cache_write,
            "ttl_12h_tokens": usage.cache_write_long,
        }
    return {
        "input_tokens": usage.all_input,
        "input_tokens_details": details,
        "output_tokens": usage.all_output,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning},
        "total_tokens": usage.all_input + usage.all_output,
    }


def closing_refusal(finish: ir.Finish, parts: Iterable[ir.AnyPart]) -> tuple[ir.Refusal, ...]:
    """The words of a refusal that came only with the finish."""
    if finish.reason is not ir.FinishReason.REFUSAL or not finish.explanation:
        return ()
    if any(isinstance(part, ir.Refusal) for part in parts):
        return ()
    return (ir.Refusal(finish.explanation),)


class Items:
    """The output items of one answer, as they become complete.

    An item's id is made of the answer's and the item's place, so that it is the same wherever it
    is needed.
    """

    def __init__(self, view: CallerView) -> None:
        self.output: list[Item] = []
        self.losses: list[ir.Loss] = []
        self._view = view
        self._searches = any(
            isinstance(tool, ir.Tool) and is_search(tool) for tool in view.request.tools
        )

    def new_id(self, prefix: str) -> str:
        """The id of the next item; the prefix tells its type (`msg`, `rs`, `fc`)."""
        return f"{prefix}_{self._view.id}_{len(self.output)}"

    def add(self, part: ir.AnyPart, at: str) -> None:
        """Adds `part`: to the last message, or as an item of its own."""
        match part:
            case ir.Text() | ir.Refusal():
                if isinstance(part, ir.Text) and part.sealed is not None:
                    self.output.append(self.leading(part.sealed))
                phase = part.extras.get("phase")
                last = self.output[-1] if self.output else {}
                if last.get("type") != "message" or last.get("phase") != phase:
                    self.output.append(self.message(phase))
                self.output[-1]["content"].append(write_piece(part))
            case ir.ToolCall():
                if part.sealed is not None:
                    self.output.append(self.leading(part.sealed))
                self.output.append(self.call(part))
            case ir.Opaque() if (text := wording(part)) is not None:
                self.add(ir.Text(text), at)
            case _:
                item = self.whole(part)
                if item is None:
                    self.losses.append(ir.Loss(at, "Responses cannot show this in an answer"))
                else:
                    self.output.append(item)

    def whole(self, part: ir.AnyPart) -> Item | None:
        """The item for a part that is neither text nor a call; None where there is none."""
        match part:
            case ir.Thinking():
                return self.reasoning(part)
            case ir.Media() if part.kind is ir.MediaKind.IMAGE and part.data is not None:
                item: Item = {"id": self.new_id("ig"), "type": "image_generation_call"}
                item |= {"status": "completed", "result": part.data}
                format = part.media_type.removeprefix("image/")
                return item | {"output_format": format} if format else item
            case ir.Opaque() if part.protocol is Protocol.RESPONSES:
                return part.value
            case _:
                return None

    def message(self, phase: Any = None) -> Item:
        """A message without content yet."""
        item: Item = {"id": self.new_id("msg"), "type": "message", "status": "completed"}
        item |= {"role": "assistant", "content": []}
        return item if phase is None else item | {"phase": phase}

    def reasoning(self, part: ir.Thinking) -> Item:
        """Reasoning is shown as a summary, whoever made it: clients look for it there."""
        return {
            "id": self.new_id("rs"),
            "type": "reasoning",
            "summary": [] if part.redacted else [{"type": "summary_text", "text": part.text}],
            "encrypted_content": None if part.sealed is None else envelope.seal(part.sealed),
        }

    def leading(self, sealed: ir.Sealed) -> Item:
        """The state of the part that follows."""
        encrypted = envelope.seal(sealed, follows=True)
        item: Item = {"id": self.new_id("rs"), "type": "reasoning", "summary": []}
        return item | {"encrypted_content": encrypted}

    def call(self, part: ir.ToolCall) -> Item:
        """A call of a function, a custom tool or the client's tool search."""
        id = call_ids.fit(part.id)
        if self.is_search(part):
            item: Item = {"id": self.new_id("tsc"), "type": "tool_search_call"}
            item |= {"status": "completed", "call_id": id, "execution": "client"}
            return item | {"arguments": parse_object(part.arguments) or {}}
        custom = part.kind is ir.ToolKind.CUSTOM
        item = {
            "id": self.new_id("ctc" if custom else "fc"),
            "type": "custom_tool_call" if custom else "function_call",
            "status": "completed",
            "call_id": id,
            "name": part.name,
        }
        if part.namespace is not None:
            item["namespace"] = part.namespace
        if custom:
            return item | {"input": part.arguments}
        return item | {"arguments": part.arguments or "{}"}

    def is_search(self, part: ir.AnyPart) -> bool:
        """Whether `part` calls the tool search that the client executes."""
        return self._searches and isinstance(part, ir.ToolCall) and part.name == TOOL_SEARCH


def wording(part: ir.Opaque) -> str | None:
    """What a block of another protocol says in plain text."""
    return None if part.protocol is Protocol.RESPONSES else part.text


def write_piece(part: ir.Text | ir.Refusal) -> Item:
    """A piece of a message's content."""
    return encode_text(part) if isinstance(part, ir.Text) else encode_refusal(part)


def _read_content(value: Item, extras: dict[str, Any]) -> tuple[ir.AnyPart, ...]:
    if value.get("type") == "refusal":
        return (ir.Refusal(_string(value.get("refusal")), extras=extras),)
    if not isinstance(value.get("text"), str):
        return ()
    return (
        ir.Text(
            value["text"],
            citations=decode_citations(value.get("annotations")),
            logprobs=decode_logprobs(value.get("logprobs")),
            extras=extras,
        ),
    )


def _read_image(item: Item) -> ir.Media:
    format = _string(item.get("output_format")) or "png"
    return ir.Media(ir.MediaKind.IMAGE, data=item["result"], media_type=f"image/{format}")


def _texts(value: Any) -> list[str]:
    return [_string(piece.get("text")) for piece in objects_of(value)]


def _string(value: Any) -> str:
    return value if isinstance(value, str) else ""
