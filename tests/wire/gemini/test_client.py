"""Google's own client as the judge: it reads what the codec writes, and the codec what it sends."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest
from conversations import PROVIDER, encode_stream, view
from google import genai
from google.genai import errors, types

from dragoman import fold, ir
from dragoman.errors import UpstreamDied
from dragoman.protocols import Protocol
from dragoman.wire import gemini as wire

CLAUDE = ir.Origin(PROVIDER, Protocol.MESSAGES)
CALL = ir.ToolCall("toolu_1", "get_weather", '{"city":"Oslo"}')
ANSWER = ir.Response(
    parts=(
        ir.Thinking("Let me think.", sealed=ir.Sealed("c2lnbmF0dXJl", CLAUDE)),
        ir.Text("I will look. ", citations=(ir.Citation(url="https://a.example", title="A"),)),
        CALL,
    ),
    finish=ir.Finish(ir.FinishReason.TOOL_CALLS),
    usage=ir.Usage(input=3, cache_read=4, output=5, reasoning=6),
)


class Server(ThreadingHTTPServer):
    """Answers every request with the next of `answers`, and keeps what was sent."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: list[bytes] = []
        self.bodies: list[bytes] = []


class Handler(BaseHTTPRequestHandler):
    server: ClassVar[Server]

    def do_POST(self) -> None:
        self.server.bodies.append(self.rfile.read(int(self.headers["content-length"])))
        streamed = ":streamGenerateContent" in self.path
        body = self.server.answers.pop(0)
        self.send_response(200)
        self.send_header("content-type", "text/event-stream" if streamed else "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Keeps quiet."""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def client(server: Server) -> Iterator[genai.Client]:
    options = types.HttpOptions(base_url=f"http://127.0.0.1:{server.server_port}")
    with genai.Client(api_key="k", http_options=options) as opened:
        yield opened


def stream_of(answer: ir.Response) -> bytes:
    """The stream of `answer`, with a sign of life behind each of its events."""
    events = [found for event in fold.unfold(answer) for found in (event, ir.KeepAlive())]
    return encode_stream(wire, events[:-1], view(Protocol.GEMINI))


def test_it_reads_an_answer(server: Server, client: genai.Client) -> None:
    server.answers.append(wire.encode_response(ANSWER, view(Protocol.GEMINI)).body)
    answer = client.models.generate_content(model="m", contents="Weather?")
    assert answer.text == "I will look. "
    assert [(call.id, call.name, call.args) for call in answer.function_calls or ()] == [
        ("toolu_1", "get_weather", {"city": "Oslo"})
    ]
    assert answer.candidates
    assert answer.candidates[0].finish_reason is types.FinishReason.STOP
    assert answer.candidates[0].grounding_metadata
    assert answer.usage_metadata
    assert answer.usage_metadata.prompt_token_count == 7
    assert answer.usage_metadata.total_token_count == 18
    assert (answer.model_version, answer.response_id) == ("acme:m-1", "abc123")


@pytest.mark.parametrize("streamed", [False, True])
def test_it_hands_state_back_unread_in_a_tool_loop(
    server: Server, client: genai.Client, streamed: bool
) -> None:
    """What Anthropic signed comes back through a Gemini client's history, with its exact text."""
    config = types.GenerateContentConfig(
        tools=[types.Tool(function_declarations=[types.FunctionDeclaration(name="get_weather")])]
    )
    server.answers.append(
        stream_of(ANSWER) if streamed else wire.encode_response(ANSWER, view(Protocol.GEMINI)).body
    )
    chat = client.chats.create(model="m", config=config)
    if streamed:
        assert "".join(chunk.text or "" for chunk in chat.send_message_stream("Weather?")) == (
            "I will look. "
        )
    else:
        chat.send_message("Weather?")
    rain = ir.Response(parts=(ir.Text("Rain."),), finish=ir.Finish(ir.FinishReason.STOP))
    server.answers.append(wire.encode_response(rain, view(Protocol.GEMINI)).body)
    result = types.FunctionResponse(id="toolu_1", name="get_weather", response={"output": "rain"})
    assert chat.send_message(types.Part(function_response=result)).text == "Rain."
    asked = wire.decode_request(server.bodies[-1])
    thought, text, call = asked.messages[1].parts
    assert isinstance(thought, ir.Thinking)
    assert (thought.text, thought.sealed) == (
        "Let me think.",
        ir.Sealed("c2lnbmF0dXJl", CLAUDE),
    )
    assert isinstance(text, ir.Text)
    assert text.text == "I will look. "
    assert isinstance(call, ir.ToolCall)
    assert (call.id, call.arguments) == (CALL.id, CALL.arguments)
    (answered,) = asked.messages[2].parts
    assert isinstance(answered, ir.ToolResult)
    assert answered.id == CALL.id


def test_it_raises_where_a_stream_ends_in_an_error(server: Server, client: genai.Client) -> None:
    encoder = wire.stream_encoder(view(Protocol.GEMINI))
    start = encoder.feed(ir.PartStart(0, ir.Text("Be")))
    server.answers.append(start + encoder.feed(ir.StreamError(UpstreamDied("It broke off."))))
    chunks = client.models.generate_content_stream(model="m", contents="Hi")
    assert next(chunks).text == "Be"
    with pytest.raises(errors.APIError, match="It broke off"):
        next(chunks)


def test_its_requests_are_read_in_full(server: Server, client: genai.Client) -> None:
    plain = ir.Response(parts=(ir.Text("{}"),), finish=ir.Finish(ir.FinishReason.STOP))
    server.answers.append(wire.encode_response(plain, view(Protocol.GEMINI)).body)
    client.models.generate_content(
        model="m",
        contents=[types.Part.from_bytes(data=b"\xfb\xef\xff", mime_type="image/png"), "What?"],
        config=types.GenerateContentConfig(
            system_instruction="Be brief.",
            max_output_tokens=9,
            stop_sequences=["END"],
            response_mime_type="application/json",
            response_schema=types.Schema(
                type=types.Type.OBJECT,
                properties={"a_b": types.Schema(type=types.Type.STRING, nullable=True)},
            ),
            thinking_config=types.ThinkingConfig(thinking_level=types.ThinkingLevel.LOW),
            tool_config=types.ToolConfig(
                function_calling_config=types.FunctionCallingConfig(
                    mode=types.FunctionCallingConfigMode.ANY, allowed_function_names=["f"]
                )
            ),
            safety_settings=[
                types.SafetySetting(
                    category=types.HarmCategory.HARM_CATEGORY_HARASSMENT,
                    threshold=types.HarmBlockThreshold.OFF,
                )
            ],
        ),
    )
    asked = wire.decode_request(server.bodies[-1])
    image = asked.messages[1].parts[0]
    assert isinstance(image, ir.Media)
    assert image.data == "++//"  # the client writes the URL-safe alphabet
    assert asked.max_tokens == 9
    assert asked.stop == ("END",)
    assert asked.reasoning == ir.Reasoning(effort="low")
    assert asked.tool_choice == ir.ToolChoice(ir.ChoiceMode.NAMED, (ir.ToolName("f"),))
    assert asked.format is not None
    assert asked.format.schema == {
        "type": "object",
        "properties": {"a_b": {"type": ["string", "null"]}},
    }
    assert asked.extras.keys() == {"safetySettings"}
