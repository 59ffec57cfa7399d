"""`dragoman config`: checked before anything starts, shown without its secrets."""

from __future__ import annotations

from cli.processes import Home

SECRET = "sk-secret-0123456789"


def test_check_says_that_all_is_well_or_everything_that_is_not(inside: Home) -> None:
    fine = inside.run("config", "check")
    assert (fine.status, fine.err) == (0, "")
    assert "valid" in fine.out
    assert not inside.data.exists()

    (inside.folder / "bad.toml").write_text("[server]\nprot = 1\nhost = 'http://x'\n")
    wrong = inside.run("config", "check", "-c", "bad.toml")
    assert (wrong.status, wrong.out) == (1, "")
    assert wrong.err.startswith("error: The configuration has 2 problems:")
    assert "line 2" in wrong.err
    assert "port" in wrong.err


def test_any_command_refuses_a_wrong_configuration_in_the_same_words(inside: Home) -> None:
    (inside.folder / "dragoman.toml").write_text("[server]\nprot = 1\n")
    wanted = inside.run("config", "check").err
    for arguments in (["serve", "-p", "0"], ["key", "list"], ["models"], ["config", "show"]):
        outcome = inside.run(*arguments)
        assert (outcome.status, outcome.out, outcome.err) == (1, "", wanted)
    assert not inside.data.exists()


def test_show_tells_where_values_come_from_and_no_secret(inside: Home) -> None:
    (inside.folder / "dragoman.toml").write_text(
        f'[[providers]]\nid = "mine"\ntype = "openai"\napi_key = "{SECRET}"\n'
    )
    shown = inside.run("config", "show", DRAGOMAN_PORT="4711", DRAGOMAN_API_KEY=SECRET)
    assert shown.status == 0
    assert "port = 4711  # environment variable DRAGOMAN_PORT" in shown.out
    assert 'id = "mine"  # dragoman.toml, line 2' in shown.out
    assert SECRET not in shown.out
