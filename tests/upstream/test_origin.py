"""A URL is taken apart once, and what is sent is what was written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.errors import UpstreamUnreachable
from dragoman.upstream.origin import Origin, locate


@pytest.mark.parametrize(
    ("url", "origin", "authority", "path"),
    [
        ("https://api.openai.com/v1", Origin(True, "api.openai.com", 443), "api.openai.com", "/v1"),
        ("http://Host", Origin(False, "host", 80), "host", "/"),
        ("http://h:80/a?b=c&d", Origin(False, "h", 80), "h", "/a?b=c&d"),
        ("http://h:443/", Origin(False, "h", 443), "h:443", "/"),
        ("https://h:8443/a//b/../c", Origin(True, "h", 8443), "h:8443", "/a//b/../c"),
        ("http://[::1]:11434/v1", Origin(False, "::1", 11434), "[::1]:11434", "/v1"),
        ("http://[::1]/v1", Origin(False, "::1", 80), "[::1]", "/v1"),
        ("http://h/models/a%2Fb:go?k=%20", Origin(False, "h", 80), "h", "/models/a%2Fb:go?k=%20"),
        ("http://h/ä b#fragment", Origin(False, "h", 80), "h", "/%C3%A4%20b"),
        ("https://bücher.example/", Origin(True, "xn--bcher-kva.example", 443), None, "/"),
    ],
)
def test_locate(url, origin, authority, path):
    target = locate(url)
    assert target.origin == origin
    assert target.authority == (authority or origin.host)
    assert target.path == path
    assert locate(target.url) == target


@pytest.mark.parametrize(
    "url",
    [
        "",
        "h",
        "/v1",
        "ftp://h/",
        "http://",
        "http:///v1",
        "http://h:x/",
        "http://h:99999/",
        "http://a b/",
        "http://[::1",
        f"http://{'ä' * 70}.example/",
    ],
)
def test_what_is_not_a_url_is_refused(url):
    with pytest.raises(UpstreamUnreachable, match="base_url"):
        locate(url)


def test_an_origin_is_printed_as_it_is_dialled():
    assert str(Origin(True, "h", 443)) == "h:443"
    assert str(Origin(False, "::1", 80)) == "[::1]:80"


@given(st.text(), st.text())
def test_nothing_breaks_out_of_the_request_line(path, query):
    try:
        target = locate(f"http://h/{path}?{query}")
    except UpstreamUnreachable:
        return
    assert target.path.startswith("/")
    assert all("!" <= character <= "~" for character in target.path)
