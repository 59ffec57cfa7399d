"""`locate` must know the line of everything that `tomllib` reads, however it is written."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from dragoman.config.positions import KeyPath, locate


def paths_of(value: object, path: KeyPath = ()) -> Iterator[KeyPath]:
    if path:
        yield path
    if isinstance(value, dict):
        for key, item in value.items():
            yield from paths_of(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from paths_of(item, (*path, index))


def test_tables_keys_and_elements_have_their_own_lines() -> None:
    lines = locate(
        "\n".join(
            [
                "# providers = 1",  # 1
                "[server]",  # 2
                "port = 80  # the port",  # 3
                "",  # 4
                "[[providers]]",  # 5
                'id = "a"',  # 6
                "[providers.timeout]",  # 7
                "connect_s = 1",  # 8
                "[[ providers ]]  # second",  # 9
                "models = [",  # 10
                '  "x",  # ]',  # 11
                "  { id = 'y', name = 'Y' },",  # 12
                "]",  # 13
            ]
        )
    )
    assert lines["server",] == 2
    assert lines["server", "port"] == 3
    assert lines["providers",] == 5
    assert lines["providers", 0] == 5
    assert lines["providers", 0, "timeout", "connect_s"] == 8
    assert lines["providers", 1] == 9
    assert lines["providers", 1, "models"] == 10
    assert lines["providers", 1, "models", 0] == 11
    assert lines["providers", 1, "models", 1] == 12
    assert lines["providers", 1, "models", 1, "name"] == 12


def test_strings_hide_what_looks_like_structure() -> None:
    text = '''
basic = "a # b \\" ] } [x]"
literal = 'c:\\'
multi = """
[not.a.table]
key = "quoted"
a \\""" quote and two more""""" # done
raw = \'\'\'
[[nor.this]]\'\'\'\'
empty = """"""
after = 1
'''
    values = tomllib.loads(text)
    assert set(locate(text)) == set(paths_of(values))
    assert locate(text)["after",] == 11


def test_quoted_and_dotted_keys_name_every_table_on_their_way() -> None:
    text = """
a."b.c" . 'd' = 1
"\\u00e9" = { x.y = 2, "=" = [[3], []] }
[ "t # u" . v ]
w = 1979-05-27 07:32:00 # a space inside
"""
    lines = locate(text)
    assert set(lines) == set(paths_of(tomllib.loads(text)))
    assert lines["a", "b.c", "d"] == 2
    assert lines["é", "x", "y"] == 3
    assert lines["é", "=", 0, 0] == 3
    assert lines["t # u", "v", "w"] == 5


def test_a_list_of_tables_inside_a_list_of_tables_counts_anew() -> None:
    text = """
[[a]]
[[a.b]]
x = 1
[[a.b]]
[a.b.c]
[[a]]
[[a.b]]
y = 1
"""
    lines = locate(text)
    assert set(lines) == set(paths_of(tomllib.loads(text)))
    assert lines["a", 0, "b", 1, "c"] == 6
    assert lines["a", 1, "b", 0, "y"] == 9


NOISE = ["", "# [x] = {", "#", "  ", "\t# \"'"]
KEYS = ["a", "b-1", '"q = 1"', "'#'", '"\\t"', "1"]
TEXTS = ['"# ["', "'}'", '"""\n[a]\nb = 1 """', "'''\n]\n'''", '"\\""', '""""x"" """']


@st.composite
def values(draw: st.DrawFn, depth: int = 2) -> str:
    kind = draw(st.sampled_from(["number", "text", "list", "table"] if depth else ["number"]))
    if kind == "text":
        return draw(st.sampled_from(TEXTS))
    if kind == "list":
        items = draw(st.lists(values(depth=depth - 1), max_size=3))
        gap = draw(st.sampled_from(["", "\n", " # ,\n  "]))
        comma = draw(st.sampled_from(["", ","])) if items else ""
        return f"[{gap}{f'{gap},{gap}'.join(items)}{gap}{comma}{gap}]"
    if kind == "table":
        keys = draw(st.lists(st.sampled_from(KEYS), unique=True, max_size=3))
        return "{ " + ", ".join(f"{key} = {draw(values(depth=depth - 1))}" for key in keys) + " }"
    return draw(st.sampled_from(["MARK", "MARK"]))


@st.composite
def documents(draw: st.DrawFn) -> str:
    """Valid documents in which every number is another one, so that its line can be looked up."""
    lines: list[str] = []
    for number in range(draw(st.integers(0, 5))):
        header = draw(st.sampled_from(["[[list]]", f"[t{number}]", f'[ t . "{number}.x" ]', ""]))
        keys = draw(st.lists(st.sampled_from(KEYS), unique=True, max_size=4))
        lines.append(header if header or number == 0 else f"[u{number}]")
        for key in keys:
            lines.append(draw(st.sampled_from(NOISE)))
            dotted = draw(st.sampled_from(["", ".d", " . 'e' . f"]))
            comment = draw(st.sampled_from(["", " # x = [", "\t"]))
            lines.append(f"  {key}{dotted} = {draw(values())}{comment}")
    text = "\n".join(lines)
    for number in range(text.count("MARK")):
        text = text.replace("MARK", str(100000 + number), 1)
    return text


@given(documents())
def test_everything_has_a_line_and_every_number_stands_on_it(text: str) -> None:
    values = tomllib.loads(text)
    lines = locate(text)
    assert set(lines) == set(paths_of(values))
    source = text.split("\n")
    for path in lines:
        value: object = values
        for step in path:
            value = value[step]  # type: ignore[index]
        if isinstance(value, int):
            assert str(value) in source[lines[path] - 1]
