from __future__ import annotations

import pytest

from dragoman import ir
from dragoman.wire.media import data_url, media_type_of, split_data_url, text_of

IMAGE = ir.MediaKind.IMAGE
DOCUMENT = ir.MediaKind.DOCUMENT


@pytest.mark.parametrize(
    ("media", "expected"),
    [
        (ir.Media(IMAGE, data="iVBORw0KGgo"), "image/png"),
        (ir.Media(IMAGE, data="/9j/4AAQ"), "image/jpeg"),
        (ir.Media(IMAGE, data="AAAA"), "image/x"),
        (ir.Media(IMAGE, data="iVBORw0KGgo", media_type="image/webp"), "image/webp"),
        (ir.Media(DOCUMENT, data="JVBERi0x"), "application/pdf"),
    ],
)
def test_the_caller_s_word_then_the_data_then_the_default(media: ir.Media, expected: str) -> None:
    assert media_type_of(media, "image/x") == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("data:image/png;base64,AAAA", ("image/png", "AAAA")),
        ("data:text/plain;charset=utf-8;base64,AAAA", ("text/plain", "AAAA")),
        ("data:;base64,AAAA", ("", "AAAA")),
        ("data:text/plain,hello", None),
        ("data:image/png;base64", None),
        ("https://example.org/a.png", None),
    ],
)
def test_data_urls(url: str, expected: tuple[str, str] | None) -> None:
    assert split_data_url(url) == expected


def test_data_urls_are_written_back() -> None:
    media = ir.Media(IMAGE, data="AAAA", media_type="image/gif")
    assert data_url(media, "image/png") == "data:image/gif;base64,AAAA"


@pytest.mark.parametrize(
    ("media", "expected"),
    [
        (ir.Media(DOCUMENT, text="Hi"), "Hi"),
        (ir.Media(DOCUMENT, data="SGk=", media_type="text/markdown"), "Hi"),
        (ir.Media(DOCUMENT, data="SGk=", media_type="application/pdf"), None),
        (ir.Media(DOCUMENT, data="/w==", media_type="text/plain"), None),
        (ir.Media(DOCUMENT, data="?", media_type="text/plain"), None),
        (ir.Media(DOCUMENT, url="https://x"), None),
    ],
)
def test_the_text_of_documents_that_are_text(media: ir.Media, expected: str | None) -> None:
    assert text_of(media) == expected
