"""`dragoman models`: the names, from what is known and from providers never asked before."""

from __future__ import annotations

from cli.processes import GOOD_KEY, FakeProvider, Home


def configure(home: Home, upstream: FakeProvider, key: str = GOOD_KEY) -> None:
    (home.folder / "dragoman.toml").write_text(
        f"""
        [[providers]]
        id = "asked"
        type = "openai-compatible"
        base_url = "{upstream.url}"
        api_key = "{key}"

        [[providers]]
        id = "listed"
        type = "openai-compatible"
        base_url = "{upstream.url}"
        models = [{{ id = "m", name = "Model M", context_length = 4096 }}]

        [[providers]]
        id = "off"
        type = "openai-compatible"
        base_url = "{upstream.url}"
        enabled = false
        """
    )


def test_names_stand_one_per_line_in_a_pipe(inside: Home, upstream: FakeProvider) -> None:
    configure(inside, upstream)
    before = len(upstream.asked)
    outcome = inside.run("models")
    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.out.split("\n") == ["asked:small", "asked:large", "listed:m", ""]
    assert inside.run("models", "--provider", "asked").out == "asked:small\nasked:large\n"
    assert len(upstream.asked) == before + 1


def test_json_tells_what_is_known(inside: Home, upstream: FakeProvider) -> None:
    configure(inside, upstream)
    assert inside.run("models", "--provider", "listed", "--json").json == [
        {
            "id": "listed:m",
            "name": "Model M",
            "provider": "listed",
            "provider_type": "openai-compatible",
            "context_length": 4096,
            "max_output": None,
            "abilities": [],
        }
    ]


def test_a_provider_that_gives_no_list_is_a_warning_or_the_failure(
    inside: Home, upstream: FakeProvider
) -> None:
    configure(inside, upstream, key="wrong")
    everything = inside.run("models")
    assert (everything.status, everything.out) == (0, "listed:m\n")
    assert everything.err.startswith("warning: asked: ")
    alone = inside.run("models", "--provider", "asked")
    assert (alone.status, alone.out) == (1, "")
    assert "Incorrect API key" in alone.err


def test_a_missing_or_disabled_provider_is_an_error(inside: Home, upstream: FakeProvider) -> None:
    configure(inside, upstream)
    missing = inside.run("models", "--provider", "nobody")
    assert (missing.status, missing.out) == (1, "")
    assert "There is no provider `nobody`" in missing.err
    off = inside.run("models", "--provider", "off")
    assert (off.status, off.out) == (1, "")
    assert "`dragoman provider enable off`" in off.err
