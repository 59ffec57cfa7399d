from __future__ import annotations

from conversations import names, texts, urls
from hypothesis import given
from hypothesis import strategies as st

from dragoman import ir
from dragoman.wire.gemini.grounding import (
    LogprobsResult,
    Source,
    TokenLogprob,
    TopCandidates,
    read_sources,
    write_grounding,
    write_logprobs,
)


@st.composite
def cited(draw: st.DrawFn) -> tuple[str, ir.Citation]:
    text = draw(texts)
    start, end = sorted((draw(st.integers(0, len(text))), draw(st.integers(0, len(text)))))
    quote = draw(st.none() | names)
    url = draw(urls) if quote is None else draw(st.none() | urls)
    return text, ir.Citation(url=url, title=draw(names), quote=quote, start=start, end=end)


@given(cited(), st.integers(0, 3))
def test_offsets_count_bytes_there_and_characters_here(
    found: tuple[str, ir.Citation], part: int
) -> None:
    text, citation = found
    metadata = write_grounding([(part, text, (citation,))])
    segment = metadata["groundingSupports"][0]["segment"]
    encoded = text.encode()
    assert encoded[segment["startIndex"] : segment["endIndex"]].decode() == segment["text"]
    (source,) = read_sources(metadata)
    assert source.part == part
    assert source.within(text) == citation


@given(texts, cited())
def test_offsets_over_what_came_before(before: str, found: tuple[str, ir.Citation]) -> None:
    text, citation = found
    assert citation.start is not None
    assert citation.end is not None
    start = len((before + text[: citation.start]).encode())
    end = len((before + text[: citation.end]).encode())
    source = Source(ir.Citation(), 0, start, end)
    placed = source.within(text, before)
    assert (placed.start, placed.end) == (citation.start, citation.end)


def test_a_citation_without_a_place_covers_its_text() -> None:
    metadata = write_grounding([(0, "Ü", (ir.Citation(url="https://a.example"),))])
    assert metadata == {
        "groundingChunks": [{"web": {"uri": "https://a.example"}}],
        "groundingSupports": [
            {
                "segment": {"startIndex": 0, "endIndex": 2, "text": "Ü"},
                "groundingChunkIndices": [0],
            }
        ],
    }
    assert write_grounding([(0, "a", ())]) == {}


def test_chunks_that_nothing_names_and_recited_passages_are_sources_too() -> None:
    grounding = {
        "groundingChunks": [
            {"web": {"uri": "https://a.example", "title": "A"}},
            {"retrievedContext": {"title": "B", "text": "quoted"}},
        ],
        "groundingSupports": [
            {"segment": {"endIndex": 3}, "groundingChunkIndices": [1, 9, True]},
            {"segment": None, "groundingChunkIndices": "all"},
        ],
    }
    recited = {"citations": [{"startIndex": 1, "endIndex": 2, "uri": "https://c.example"}]}
    assert read_sources(grounding, recited) == [
        Source(ir.Citation(title="B", quote="quoted"), 0, None, 3),
        Source(ir.Citation(url="https://a.example", title="A"), 0),
        Source(ir.Citation(url="https://c.example"), 0, 1, 2),
    ]
    assert read_sources(None) == []


def test_log_probabilities_stand_side_by_side() -> None:
    result = LogprobsResult(
        [TokenLogprob("a", -0.1), TokenLogprob("b", -0.2)],
        [TopCandidates([TokenLogprob("a", -0.1), TokenLogprob("c", -3.0)])],
    )
    first, second = result.read()
    assert first == ir.Logprob(
        "a", -0.1, top_logprobs=(ir.Logprob("a", -0.1), ir.Logprob("c", -3.0))
    )
    assert second == ir.Logprob("b", -0.2)
    assert write_logprobs([first])["topCandidates"][0]["candidates"][1] == {
        "token": "c",
        "logProbability": -3.0,
    }
