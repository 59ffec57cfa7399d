"""What a provider was told in a request, read in its own protocol."""

from __future__ import annotations

from typing import Any


def results_told(protocol: str, body: Any) -> list[str]:
    """The text of every tool result."""
    match protocol:
        case "chat":
            found = [each["content"] for each in body["messages"] if each["role"] == "tool"]
        case "responses":
            items = [each for each in body["input"] if each.get("type") == "function_call_output"]
            found = [each["output"] for each in items]
        case "messages":
            found = [each["content"] for each in _blocks(body) if each["type"] == "tool_result"]
        case _:
            parts = [part["functionResponse"] for part in _parts(body, "functionResponse")]
            found = [next(iter(part["response"].values())) for part in parts]
    return [_text(each) for each in found]


def state_told(protocol: str, body: Any) -> list[str]:
    """The reasoning state; at a Chat provider that is the thinking itself."""
    match protocol:
        case "chat":
            told = [each.get("reasoning_content") for each in body["messages"]]
            return [each for each in told if each]
        case "responses":
            items = [each for each in body["input"] if each.get("type") == "reasoning"]
            return [each["encrypted_content"] for each in items]
        case "messages":
            return [each["signature"] for each in _blocks(body) if each["type"] == "thinking"]
        case _:
            return [part["thoughtSignature"] for part in _parts(body, "thoughtSignature")]


def _blocks(body: Any) -> list[Any]:
    contents = [each["content"] for each in body["messages"]]
    return [block for content in contents if not isinstance(content, str) for block in content]


def _parts(body: Any, member: str) -> list[Any]:
    return [part for each in body["contents"] for part in each["parts"] if member in part]


def _text(content: Any) -> str:
    return content if isinstance(content, str) else "".join(part["text"] for part in content)
