"""What images, documents and sounds cost in input tokens, by the vendors' published formulas.

Anthropic sees an image as cells of 28 by 28 pixels, one token each, after shrinking it to a
longest edge and a number of cells (its vision guide, which names two sizes of model). OpenAI
cuts an image into 512 pixel tiles beside a small whole picture, or, for newer and smaller models,
into 32 pixel patches that are weighed by a factor (its images and vision guide). Gemini 2 counts
258 tokens a tile of 768 pixels, later ones a fixed number an image; a second of sound is 32
tokens (its token and media resolution guides). Of a PDF's page, Anthropic and OpenAI see the
picture and the text.

Dimensions and durations are read from the first bytes of the data. What lies elsewhere (a URL, a
file id) cannot be looked at; it counts as an ordinary image, page or half minute.
"""

from __future__ import annotations

import math
import re
import struct
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass

from dragoman import ir

Size = tuple[int, int]

_ORDINARY: Size = (1024, 1024)
_ORDINARY_S = 30.0
_HEAD = 64 * 1024  # of base64; JPEG's dimensions may stand behind a thumbnail
_PAGE_BYTES = 50_000
_BYTES_PER_S = 16_000  # 128 kbit/s, for sounds and films that do not say
_PAGE = re.compile(rb"/Type\s*/Page(?![A-Za-z])")
_COUNT = re.compile(rb"/Count\s+(\d+)")
_NO_FRAME = {0xC4, 0xC8, 0xCC}  # JPEG markers among the start-of-frame ones that are none


def cells(edge: int, most: int) -> Callable[[Size], int]:
    """Anthropic's rule: the longest edge and the most tokens that a model takes."""

    def count(size: Size) -> int:
        shrink = min(1.0, edge / max(size), math.sqrt(most * 28**2 / (size[0] * size[1])))
        return min(most, math.prod(math.ceil(side * shrink / 28) for side in size))

    return count


def patches(factor: float, most: int = 1536) -> Callable[[Size], int]:
    """OpenAI's newer rule: 32 pixel patches, at most so many, times a model's factor."""

    def count(size: Size) -> int:
        shrink = min(1.0, math.sqrt(most * 32**2 / (size[0] * size[1])))
        covered = math.prod(math.ceil(side * shrink / 32) for side in size)
        return math.ceil(min(most, covered) * factor)

    return count


def tiles(whole: int, tile: int) -> Callable[[Size], int]:
    """OpenAI's older rule: into 2048 pixels, the short side to 768, then 512 pixel tiles."""

    def count(size: Size) -> int:
        shrink = min(1.0, 2048 / max(size))
        shrink = min(shrink, 768 / min(size))
        return whole + tile * math.prod(math.ceil(side * shrink / 512) for side in size)

    return count


def gemini_tiles(size: Size) -> int:
    """Gemini 2's rule."""
    if max(size) <= 384:
        return 258
    return 258 * math.prod(math.ceil(side / 768) for side in size)


@dataclass(frozen=True, slots=True)
class Rates:
    """The prices of one model family, in tokens: of an image by its width and height, of one in
    low detail, of a page, and of a second of sound and of film."""

    image: Callable[[Size], int]
    low: int | None = None
    page: int = 1300
    sound: float = 10.0
    film: float = 263.0

    def count(self, media: ir.Media) -> int:
        """What `media` costs; a document's plain text is not for here."""
        match media.kind:
            case ir.MediaKind.IMAGE:
                if media.detail == "low" and self.low is not None:
                    return self.low
                return self.image(_dimensions(media.data) or _ORDINARY)
            case ir.MediaKind.DOCUMENT:
                return self.page * _pages(media.data)
            case ir.MediaKind.AUDIO:
                return math.ceil(self.sound * _seconds(media.data))
            case ir.MediaKind.VIDEO:
                return math.ceil(self.film * _seconds(media.data))


def _decode(data: str) -> bytes:
    """The bytes of base64 that may be damaged or cut; what cannot be read is left out."""
    try:
        return b64decode(data[: len(data) & ~3])
    except ValueError:
        return b""


def _dimensions(data: str | None) -> Size | None:
    """Width and height of a PNG, GIF, WebP or JPEG."""
    if not data:
        return None
    head = _decode(data[:_HEAD])
    size = None
    if head.startswith(b"\x89PNG") and len(head) >= 24:
        size = struct.unpack(">II", head[16:24])
    elif head.startswith(b"GIF8") and len(head) >= 10:
        size = struct.unpack("<HH", head[6:10])
    elif head[8:12] == b"WEBP" and len(head) >= 30:
        size = _webp(head)
    elif head.startswith(b"\xff\xd8"):
        size = _jpeg(head)
    return (size[0], size[1]) if size and all(size) else None


def _webp(head: bytes) -> Size | None:
    """Source: the WebP container specification, and the bitstream guide of VP8 and VP8L."""
    match head[12:16]:
        case b"VP8X":
            width, height = head[24:27], head[27:30]
            return int.from_bytes(width, "little") + 1, int.from_bytes(height, "little") + 1
        case b"VP8L":
            bits = int.from_bytes(head[21:25], "little")
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8 ":
            width, height = struct.unpack("<HH", head[26:30])
            return width & 0x3FFF, height & 0x3FFF
        case _:
            return None


def _jpeg(head: bytes) -> Size | None:
    """Walks the segments to the start of a frame."""
    place = 2
    while place + 9 <= len(head) and head[place] == 0xFF:
        marker = head[place + 1]
        if 0xC0 <= marker <= 0xCF and marker not in _NO_FRAME:
            height, width = struct.unpack(">HH", head[place + 5 : place + 9])
            return width, height
        place += 2 + int.from_bytes(head[place + 2 : place + 4], "big")
    return None


def _pages(data: str | None) -> int:
    """A PDF's pages. Compressed ones hide their page objects; their size then gives a guess."""
    if not data:
        return 1
    document = _decode(data)
    if found := len(_PAGE.findall(document)):
        return found
    counts = [int(count) for count in _COUNT.findall(document) if len(count) < 6]
    return max((1, len(document) // _PAGE_BYTES, *counts))


def _seconds(data: str | None) -> float:
    """How long a sound or film is: a WAV file says its rate, of others a usual one is assumed."""
    if not data:
        return _ORDINARY_S
    head = _decode(data[:64])
    is_wav = head.startswith(b"RIFF") and head[8:16] == b"WAVEfmt " and len(head) >= 32
    rate = int.from_bytes(head[28:32], "little") if is_wav else 0
    return len(data) * 3 / 4 / (rate or _BYTES_PER_S)
