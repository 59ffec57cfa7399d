"""The event sequence of an encoded stream, and OpenAI's own SDK as its judge."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable
from typing import Any

import openai
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from conversations import encode_stream, events_of, view
from openai.lib.streaming.responses import AsyncResponseStream
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import BaseModel, TypeAdapter

from dragoman import envelope, ir, sse
from dragoman.errors import UpstreamDied, UpstreamRefused
from dragoman.protocols import Protocol
from dragoman.wire import openai_responses as wire

STATE = ir.Sealed("sig", ir.Origin("acme", Protocol.MESSAGES))
CITATION = ir.Citation(url="https://a.org", title="A", start=0, end=2)
SEARCH_TOOL = ir.Tool(name="tool_search", extras={"execution": "client"}, at="tools.0")

ANSWER: tuple[ir.Event, ...] = (
    ir.Start(id="up_1", model="up"),
    ir.PartStart(0, ir.Thinking("")),
    ir.Delta(0, "Hm"),
    ir.Delta(0, "m."),
    ir.Sealing(0, STATE),
    ir.PartEnd(0),
    ir.PartStart(1, ir.Text("He")),
    ir.Delta(1, "llo"),
    ir.Cited(1, CITATION),
    ir.PartEnd(1),
    ir.PartStart(2, ir.Text("Bye")),
    ir.PartEnd(2),
    ir.PartStart(3, ir.ToolCall("call_1", "f", "")),
    ir.Delta(3, '{"a":'),
    ir.Delta(3, "1}"),
    ir.PartEnd(3),
    ir.PartStart(4, ir.ToolCall("call_2", "exec", "", kind=ir.ToolKind.CUSTOM, namespace="ns")),
    ir.Delta(4, "ls -l"),
    ir.PartEnd(4),
    ir.PartStart(5, ir.ToolCall("call_3", "g", "")),
    ir.PartEnd(5),
    ir.Finished(
        ir.Finish(ir.FinishReason.TOOL_CALLS),
        ir.Usage(input=5, cache_read=3, output=7, reasoning=2),
    ),
)
REFUSED: tuple[ir.Event, ...] = (
    ir.Start(),
    ir.PartStart(0, ir.Refusal("")),
    ir.Delta(0, "No."),
    ir.PartEnd(0),
    ir.Finished(ir.Finish(ir.FinishReason.REFUSAL)),
)


def written(events: Iterable[ir.Event], **more: Any) -> list[dict[str, Any]]:
    return events_of(encode_stream(wire, events, view(Protocol.RESPONSES, **more)))


def types(events: list[dict[str, Any]]) -> list[str]:
    return [event["type"].removeprefix("response.") for event in events]


def test_the_life_of_every_item_is_told_in_order() -> None:
    assert types(written(ANSWER)) == [
        "created",
        "in_progress",
        "output_item.added",
        "reasoning_summary_part.added",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.done",
        "reasoning_summary_part.done",
        "output_item.done",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.delta",
        "output_text.annotation.added",
        "output_text.done",
        "content_part.done",
        "content_part.added",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "output_item.added",
        "function_call_arguments.delta",
        "function_call_arguments.delta",
        "function_call_arguments.done",
        "output_item.done",
        "output_item.added",
        "custom_tool_call_input.delta",
        "custom_tool_call_input.done",
        "output_item.done",
        "output_item.added",
        "function_call_arguments.delta",
        "function_call_arguments.done",
        "output_item.done",
        "completed",
    ]


def test_events_are_numbered_named_and_placed() -> None:
    stream = encode_stream(wire, ANSWER, view(Protocol.RESPONSES))
    events = [(event.name.decode(), json.loads(event.data)) for event in sse.read(stream)]
    assert [event["sequence_number"] for _, event in events] == list(range(len(events)))
    assert all(name == event["type"] for name, event in events)
    places = [event["output_index"] for _, event in events if "output_index" in event]
    assert places == sorted(places)
    ids = {}
    for _, event in events:
        if event["type"] == "response.output_item.added":
            ids[event["output_index"]] = event["item"]["id"]
        elif "item_id" in event:
            assert event["item_id"] == ids[event["output_index"]]
    texts = [event for _, event in events if event["type"] == "response.output_text.delta"]
    assert [event["content_index"] for event in texts] == [0, 0, 1]


def test_the_last_event_holds_the_whole_response() -> None:
    last = written(ANSWER)[-1]["response"]
    reasoning, message, call, custom, bare = last["output"]
    assert reasoning["summary"] == [{"type": "summary_text", "text": "Hmm."}]
    assert envelope.unseal(reasoning["encrypted_content"]) == (STATE, False)
    assert [piece["text"] for piece in message["content"]] == ["Hello", "Bye"]
    assert message["content"][0]["annotations"][0]["url"] == "https://a.org"
    assert (call["call_id"], call["name"], call["arguments"]) == ("call_1", "f", '{"a":1}')
    assert (custom["type"], custom["namespace"], custom["input"]) == (
        "custom_tool_call",
        "ns",
        "ls -l",
    )
    assert bare["arguments"] == "{}"
    assert last["status"] == "completed"
    assert last["usage"] == {
        "input_tokens": 8,
        "input_tokens_details": {"cached_tokens": 3, "cache_write_tokens": 0},
        "output_tokens": 9,
        "output_tokens_details": {"reasoning_tokens": 2},
        "total_tokens": 17,
    }


def test_the_published_types_accept_every_event() -> None:
    adapter: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
    for event in written(ANSWER) + written(REFUSED):
        adapter.validate_python(event)


def test_a_text_goes_on_in_the_same_message_until_its_phase_changes() -> None:
    commentary = {"phase": "commentary"}
    events = written(
        (
            ir.Start(),
            ir.PartStart(0, ir.Text("a", extras=commentary)),
            ir.PartEnd(0),
            ir.PartStart(1, ir.Text("b")),
            ir.PartEnd(1),
            ir.Finished(ir.Finish(ir.FinishReason.STOP)),
        )
    )
    output = events[-1]["response"]["output"]
    assert [item.get("phase") for item in output] == ["commentary", None]


def test_state_of_a_call_stands_in_an_item_before_it() -> None:
    signed = ir.ToolCall("call_1", "f", "{}", sealed=STATE)
    events = written(
        (ir.Start(), ir.PartStart(0, signed), ir.PartEnd(0), ir.Finished(ir.Finish("stop")))
    )
    state, call = events[-1]["response"]["output"]
    assert envelope.unseal(state["encrypted_content"]) == (STATE, True)
    assert call["type"] == "function_call"


def test_the_client_s_tool_search_is_called_as_such() -> None:
    events = written(
        (
            ir.Start(),
            ir.PartStart(0, ir.ToolCall("call_1", "tool_search", "")),
            ir.Delta(0, '{"query":"mail"}'),
            ir.PartEnd(0),
            ir.Finished(ir.Finish(ir.FinishReason.TOOL_CALLS)),
        ),
        tools=(SEARCH_TOOL,),
    )
    assert types(events)[2:] == ["output_item.added", "output_item.done", "completed"]
    item = events[-1]["response"]["output"][0]
    assert item["type"] == "tool_search_call"
    assert item["execution"] == "client"
    assert item["arguments"] == {"query": "mail"}


def test_percent_signs_in_log_probabilities_are_no_template() -> None:
    likely = (ir.Logprob("100%d", -0.5),)
    events = written(
        (
            ir.Start(),
            ir.PartStart(0, ir.Text("")),
            ir.Delta(0, "100%d", likely),
            ir.PartEnd(0),
            ir.Finished(ir.Finish(ir.FinishReason.STOP)),
        )
    )
    delta = next(event for event in events if event["type"].endswith("text.delta"))
    assert delta["logprobs"][0]["token"] == "100%d"


def test_a_keep_alive_is_a_comment() -> None:
    encoder = wire.stream_encoder(view(Protocol.RESPONSES))
    assert encoder.feed(ir.KeepAlive()) == sse.PING


def test_what_cannot_be_shown_is_a_loss() -> None:
    sound = ir.Media(ir.MediaKind.AUDIO, data="AAAA")
    encoder = wire.stream_encoder(view(Protocol.RESPONSES))
    for event in (ir.Start(), ir.PartStart(0, sound), ir.PartEnd(0)):
        encoder.feed(event)
    assert [loss.path for loss in encoder.losses] == ["response"]


@pytest.mark.parametrize("begun", [0, 1, 8])
def test_a_failure_is_told_to_sdks_and_to_codex(begun: int) -> None:
    error = UpstreamRefused("Too long.", status=400, code="context_length_exceeded")
    *_, told, failed = written((*ANSWER[:begun], ir.StreamError(error)))
    assert told["type"] == "error"
    assert told["error"]["code"] == told["code"] == "context_length_exceeded"
    assert failed["type"] == "response.failed"
    assert failed["response"]["status"] == "failed"
    assert failed["response"]["error"] == {
        "code": "context_length_exceeded",
        "message": "Too long.",
    }


async def sdk_stream(
    stream: bytes, **more: Any
) -> AsyncIterator[tuple[Any, AsyncResponseStream[Any]]]:
    """What the SDK's stream helper makes of `stream`, as a server sends it."""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=stream, content_type="text/event-stream")

    app = web.Application()
    app.router.add_post("/v1/responses", answer)
    async with TestServer(app) as server:
        base_url = str(server.make_url("/v1"))
        client = openai.AsyncOpenAI(base_url=base_url, api_key="k", max_retries=0)
        async with client, client.responses.stream(model="m", input="Hi", **more) as events:
            async for event in events:
                yield event, events


async def test_the_sdk_s_stream_helper_follows_it_to_the_end() -> None:
    stream = encode_stream(wire, ANSWER, view(Protocol.RESPONSES))
    snapshots: list[str] = []
    final: Response | None = None
    async for event, helper in sdk_stream(stream):
        if event.type == "response.function_call_arguments.delta":
            snapshots.append(event.snapshot)
        if event.type == "response.completed":
            final = await helper.get_final_response()
    assert final is not None
    assert snapshots == ['{"a":', '{"a":1}', "{}"]
    assert final.output_text == "HelloBye"
    assert [item.type for item in final.output] == [
        "reasoning",
        "message",
        "function_call",
        "custom_tool_call",
        "function_call",
    ]


async def test_the_sdk_parses_structured_output() -> None:
    class City(BaseModel):
        name: str

    events = (
        ir.Start(),
        ir.PartStart(0, ir.Text('{"name":')),
        ir.Delta(0, '"Rome"}'),
        ir.PartEnd(0),
        ir.Finished(ir.Finish(ir.FinishReason.STOP)),
    )
    stream = encode_stream(wire, events, view(Protocol.RESPONSES))
    parsed = [
        event.parsed
        async for event, _ in sdk_stream(stream, text_format=City)
        if event.type == "response.output_text.done"
    ]
    assert parsed == [City(name="Rome")]


async def test_the_sdk_raises_when_the_provider_dies() -> None:
    stream = encode_stream(
        wire, (*ANSWER[:4], ir.StreamError(UpstreamDied("Gone."))), view(Protocol.RESPONSES)
    )
    with pytest.raises(openai.APIError, match=r"Gone\."):
        async for _ in sdk_stream(stream):
            pass
