"""media_tokens: dimensions out of bytes, and the vendors' formulas on their own examples."""

from __future__ import annotations

import struct
from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman import ir
from dragoman.media_tokens import Rates, cells, gemini_tiles, patches, tiles

AREA = Rates(lambda size: size[0] * 10_000 + size[1], low=7, page=100, sound=10, film=100)
UNKNOWN = 1024 * 10_000 + 1024


def png(width: int, height: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", width, height)


def jpeg(width: int, height: int, thumbnail: int = 300) -> bytes:
    exif = b"\xff\xe1" + struct.pack(">H", thumbnail + 2) + b"\xff\xc0" * (thumbnail // 2)
    tables = b"\xff\xc4" + struct.pack(">H", 4) + b"ab"
    frame = b"\xff\xc2" + struct.pack(">HBHH", 17, 8, height, width)
    return b"\xff\xd8" + exif + tables + frame


def webp(kind: bytes, content: bytes) -> bytes:
    return b"RIFF\x00\x00\x00\x00WEBP" + kind + b"\x00\x00\x00\x00" + content


def lossless(width: int, height: int) -> bytes:
    bits = (width - 1) | (height - 1) << 14
    return webp(b"VP8L", b"\x2f" + bits.to_bytes(4, "little") + bytes(8))


def extended(width: int, height: int) -> bytes:
    sides = (side.to_bytes(3, "little") for side in (width - 1, height - 1))
    return webp(b"VP8X", bytes(4) + b"".join(sides))


def lossy(width: int, height: int) -> bytes:
    return webp(b"VP8 ", bytes(6) + struct.pack("<HH", width, height))


def gif(width: int, height: int) -> bytes:
    return b"GIF89a" + struct.pack("<HH", width, height)


def media(kind: ir.MediaKind, data: bytes | None, **more: str) -> ir.Media:
    encoded = None if data is None else b64encode(data).decode()
    return ir.Media(kind=kind, data=encoded, url=None if data else "https://x.org/a", **more)


def image(data: bytes | None, **more: str) -> ir.Media:
    return media(ir.MediaKind.IMAGE, data, **more)


@pytest.mark.parametrize("write", [png, jpeg, gif, lossless, extended, lossy])
def test_dimensions_are_read_from_the_first_bytes(write) -> None:
    assert AREA.count(image(write(640, 480))) == 640 * 10_000 + 480


@pytest.mark.parametrize("data", [None, b"BM", b"\x89PNG", b"\xff\xd8\xff", png(0, 5), b"RIFF" * 9])
def test_an_image_that_tells_nothing_counts_as_an_ordinary_one(data: bytes | None) -> None:
    assert AREA.count(image(data)) == UNKNOWN


@given(st.text(max_size=60), st.sampled_from(list(ir.MediaKind)))
def test_garbage_has_a_price_too(data: str, kind: ir.MediaKind) -> None:
    assert AREA.count(ir.Media(kind=kind, data=data)) >= 0


def test_low_detail_has_its_own_price_where_there_is_one() -> None:
    assert AREA.count(image(png(640, 480), detail="low")) == 7
    assert Rates(gemini_tiles).count(image(png(9, 9), detail="low")) == 258


@pytest.mark.parametrize(
    ("rule", "size", "tokens"),
    [
        # Anthropic's vision guide: 28 pixel cells
        (cells(1568, 1568), (1000, 1000), 1296),
        (cells(1568, 1568), (200, 200), 64),
        (cells(2576, 4784), (1920, 1080), 69 * 39),
        # OpenAI's images and vision guide
        (tiles(85, 170), (1024, 1024), 765),
        (tiles(85, 170), (2048, 4096), 1105),
        (patches(1.0), (1024, 1024), 1024),
        (patches(1.62), (1024, 1024), 1659),
        # Gemini's token guide
        (gemini_tiles, (384, 384), 258),
        (gemini_tiles, (960, 540), 2 * 258),
    ],
)
def test_the_vendors_own_examples(rule, size: tuple[int, int], tokens: int) -> None:
    assert rule(size) == tokens


@given(st.integers(1, 20_000), st.integers(1, 20_000))
def test_no_image_costs_more_than_the_most(width: int, height: int) -> None:
    assert 0 < cells(1568, 1568)((width, height)) <= 1568
    assert 0 < patches(1.0, 1536)((width, height)) <= 1536


def test_pages_of_a_pdf() -> None:
    pages = b"%PDF-1.7\n<</Type /Pages /Count 3>>" + b"<< /Type/Page /Parent 1 0 R>>" * 3
    assert AREA.count(media(ir.MediaKind.DOCUMENT, pages)) == 300
    hidden = b"%PDF-1.7\n<</Count 12>> stream"
    assert AREA.count(media(ir.MediaKind.DOCUMENT, hidden)) == 1200
    assert AREA.count(media(ir.MediaKind.DOCUMENT, bytes(200_000))) == 400
    assert AREA.count(media(ir.MediaKind.DOCUMENT, None)) == 100


def test_sounds_by_their_length() -> None:
    header = b"RIFF\x00\x00\x00\x00WAVEfmt " + struct.pack("<IHHII", 16, 1, 1, 8000, 16_000)
    second = header + bytes(16_000 - len(header))
    assert AREA.count(media(ir.MediaKind.AUDIO, second * 2)) == pytest.approx(20, abs=1)
    assert AREA.count(media(ir.MediaKind.AUDIO, bytes(48_000))) == 30
    assert AREA.count(media(ir.MediaKind.VIDEO, None)) == 3000
