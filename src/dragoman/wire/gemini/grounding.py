"""Citations and log probabilities, which Gemini keeps beside the parts that they belong to.

A grounding support ties a segment of the answer to the chunks of the web that it rests on. A
segment's offsets count UTF-8 bytes, from the start of the part with its index, or in a stream from
the start of the whole text; the neutral form counts characters of its part. What Google calls
citations are passages that the model may have recited; they are counted over the text likewise.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, cast

import msgspec

from dragoman import ir
from dragoman.wire.fields import object_of, objects_of


class Source(NamedTuple):
    """One citation before its place in a text is known in characters."""

    citation: ir.Citation
    part: int
    start: int | None = None
    end: int | None = None

    def within(self, text: str, before: str = "") -> ir.Citation:
        """The citation in the part `text`; `before` is what the offsets count besides it."""
        if self.end is None:
            return self.citation
        whole = before + text
        start, end = (
            min(max(_characters(whole, offset) - len(before), 0), len(text))
            for offset in (self.start or 0, self.end)
        )
        return msgspec.structs.replace(self.citation, start=start, end=end)


class TokenLogprob(msgspec.Struct, frozen=True, rename="camel"):
    """One token as `logprobsResult` has it."""

    token: str = ""
    log_probability: float = 0.0


class TopCandidates(msgspec.Struct, frozen=True):
    """The likeliest tokens at one place."""

    candidates: list[TokenLogprob] = []


class LogprobsResult(msgspec.Struct, frozen=True, rename="camel"):
    """`logprobsResult`: two lists, side by side."""

    chosen_candidates: list[TokenLogprob] = []
    top_candidates: list[TopCandidates] = []

    def read(self) -> tuple[ir.Logprob, ...]:
        """The same, token by token."""
        tops = [[_logprob(each) for each in top.candidates] for top in self.top_candidates]
        return tuple(
            ir.Logprob(
                chosen.token,
                chosen.log_probability,
                top_logprobs=tuple(tops[index]) if index < len(tops) else (),
            )
            for index, chosen in enumerate(self.chosen_candidates)
        )


def read_sources(
    grounding: dict[str, Any] | None, recited: dict[str, Any] | None = None
) -> list[Source]:
    """What `groundingMetadata` and `citationMetadata` cite; chunks that no support names count
    as sources of the whole answer."""
    chunks = [
        _read_chunk(chunk) for chunk in objects_of(object_of(grounding).get("groundingChunks"))
    ]
    unused = dict(enumerate(chunks))
    sources: list[Source] = []
    for support in objects_of(object_of(grounding).get("groundingSupports")):
        segment = object_of(support.get("segment"))
        part, start, end = (
            _whole(segment.get(f"{name}Index")) for name in ("part", "start", "end")
        )
        for index in _wholes(support.get("groundingChunkIndices")):
            if index < len(chunks):
                unused.pop(index, None)
                sources.append(Source(chunks[index], part or 0, start, end))
    sources += [Source(chunk, 0) for chunk in unused.values()]
    for passage in objects_of(object_of(recited).get("citations")):
        citation = ir.Citation(url=_text(passage.get("uri")), title=_text(passage.get("title")))
        start, end = _whole(passage.get("startIndex")), _whole(passage.get("endIndex"))
        sources.append(Source(citation, 0, start, end))
    return sources


def write_grounding(texts: Iterable[tuple[int, str, Sequence[ir.Citation]]]) -> dict[str, Any]:
    """`groundingMetadata` for texts, each with the index of its part and its citations. One that
    does not say where it belongs covers its whole text."""
    chunks: list[dict[str, Any]] = []
    supports: list[dict[str, Any]] = []
    for part, text, citations in texts:
        for citation in citations:
            start = citation.start or 0
            end = len(text) if citation.end is None else citation.end
            segment: dict[str, Any] = {
                "startIndex": _bytes(text, start),
                "endIndex": _bytes(text, end),
                "text": text[start:end],
            }
            if part:
                segment["partIndex"] = part
            supports.append({"segment": segment, "groundingChunkIndices": [len(chunks)]})
            chunks.append(_write_chunk(citation))
    return {"groundingChunks": chunks, "groundingSupports": supports} if chunks else {}


def write_logprobs(logprobs: Sequence[ir.Logprob]) -> dict[str, Any]:
    """`logprobsResult`."""
    return {
        "chosenCandidates": [_write_token(each) for each in logprobs],
        "topCandidates": [
            {"candidates": [_write_token(top) for top in each.top_logprobs]} for each in logprobs
        ],
    }


def _logprob(token: TokenLogprob) -> ir.Logprob:
    return ir.Logprob(token.token, token.log_probability)


def _write_token(logprob: ir.Logprob) -> dict[str, Any]:
    return {"token": logprob.token, "logProbability": logprob.logprob}


def _read_chunk(chunk: dict[str, Any]) -> ir.Citation:
    kinds = ("web", "retrievedContext", "maps", "image")
    source = next(filter(None, (object_of(chunk.get(kind)) for kind in kinds)), object_of(None))
    return ir.Citation(
        url=_text(source.get("uri") or source.get("sourceUri")),
        title=_text(source.get("title")),
        quote=_text(source.get("text")),
    )


def _write_chunk(citation: ir.Citation) -> dict[str, Any]:
    titled = {"title": citation.title} if citation.title is not None else {}
    quoted = {"text": citation.quote} if citation.quote is not None else {}
    if citation.url is None or quoted:
        located = {"uri": citation.url} if citation.url is not None else {}
        return {"retrievedContext": {**located, **titled, **quoted}}
    return {"web": {"uri": citation.url, **titled}}


def _characters(text: str, offset: int) -> int:
    """How many characters the first `offset` bytes of `text` hold."""
    return len(text.encode("utf-8", "surrogatepass")[:offset].decode("utf-8", "ignore"))


def _bytes(text: str, offset: int) -> int:
    return len(text[:offset].encode("utf-8", "surrogatepass"))


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _wholes(value: Any) -> list[int]:
    values = cast("list[Any]", value) if isinstance(value, list) else []
    return [each for each in map(_whole, values) if each is not None]
