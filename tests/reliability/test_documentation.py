"""docs/reliability.md says what is so."""

from __future__ import annotations

import re
from pathlib import Path

from dragoman.config.settings import ServerSettings
from dragoman.config.succession import LIVE
from dragoman.health import LONGEST_PAUSE_S
from dragoman.providers.spec import TimeoutSpec
from dragoman.sse import LONGEST_EVENT
from dragoman.upstream.answers import LONGEST_BODY

PAGE = (Path(__file__).parents[2] / "docs/reliability.md").read_text(encoding="utf-8")


def test_the_settings_that_are_taken_over_are_those_listed() -> None:
    listed = PAGE.split("and of `[server]`:\n\n")[1].split(".\n")[0]
    assert set(re.findall(r"`(\w+)`", listed)) == LIVE


def test_every_timeout_has_its_row_and_default() -> None:
    for name, field in TimeoutSpec.model_fields.items():
        default = "none" if field.default is None else str(field.default)
        assert f"| `{name}` | {default} |" in PAGE


def test_what_looks_like_a_setting_is_one() -> None:
    named = set(
        re.findall(r"`((?:max|breaker|queue|body|header|retry|keepalive|grace)_\w+)`", PAGE)
    )
    assert named
    assert named <= set(ServerSettings.model_fields)


def test_bounds_are_those_of_the_code() -> None:
    assert f"may have {LONGEST_EVENT // 1_048_576} MB" in PAGE
    assert f"answer {LONGEST_BODY // 1_048_576} MB" in PAGE
    assert f"longer than {LONGEST_PAUSE_S / 60:g} minutes" in PAGE
