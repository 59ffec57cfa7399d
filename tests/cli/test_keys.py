"""`dragoman key`: what it prints, and that a running gateway knows at once."""

from __future__ import annotations

import re
import time
from datetime import datetime

import pytest
from cli.processes import Home, Served

from dragoman.cli.keys import _describe_reach, describe_key
from dragoman.keys import GatewayKey, Scope

KEY = re.compile(r"sk-dragoman-[A-Za-z0-9_-]{43}")


def test_show_prints_the_default_key_and_nothing_else(shared_home: Home, served: Served) -> None:
    outcome = shared_home.run("key", "show")
    assert (outcome.status, outcome.out, outcome.err) == (0, served.key + "\n", "")


def test_a_key_is_made_used_rotated_and_revoked(shared_home: Home, served: Served) -> None:
    made = shared_home.run("key", "create", "--name", "laptop", "--json")
    assert made.status == 0
    assert list(made.json)[:3] == ["id", "name", "key"]
    assert made.json["name"] == "laptop"
    assert KEY.fullmatch(made.json["key"])
    assert served.status_of("/v1/models", made.json["key"]) == 200

    rotated = shared_home.run("key", "rotate", "laptop", "--json").json
    assert rotated["id"] == made.json["id"]
    assert served.status_of("/v1/models", made.json["key"]) == 401
    assert served.status_of("/v1/models", rotated["key"]) == 200

    revoked = shared_home.run("key", "revoke", made.json["id"])
    assert (revoked.status, revoked.out) == (0, f"Revoked the key laptop ({made.json['id']}).\n")
    assert served.status_of("/v1/models", rotated["key"]) == 401


def test_a_key_is_made_with_its_terms(shared_home: Home, served: Served) -> None:
    options = ("--models", "none:*, other:x", "--expires", "30d", "--scope", "inference")
    made = shared_home.run("key", "create", "--name", "guest", *options, "--json").json
    assert made["models"] == ["none:*", "other:x"]
    lifetime = datetime.fromisoformat(made["expires_at"]).timestamp() - time.time()
    assert 29 * 86400 < lifetime < 31 * 86400
    assert served.model_names(made["key"]) == set()


def test_an_admin_key_opens_management_alone(shared_home: Home, served: Served) -> None:
    made = shared_home.run("key", "create", "--name", "boss", "--scope", "admin", "--json").json
    assert served.status_of("/admin/status", made["key"]) == 200
    assert served.status_of("/admin/status", served.key) == 403


def test_without_json_the_key_stands_on_a_line_of_its_own(inside: Home) -> None:
    outcome = inside.run("key", "create", "--name", "plain")
    told, key = outcome.out.splitlines()
    assert "plain" in told
    assert "this once" in told
    assert KEY.fullmatch(key)


def test_the_list_shows_no_key(inside: Home) -> None:
    made = inside.run("key", "create", "--name", "laptop", "--expires", "2w", "--json").json
    default = inside.run("key", "show").out.strip()
    listed, table = inside.run("key", "list", "--json"), inside.run("key", "list")
    names = {key["name"]: key for key in listed.json}
    assert set(names) == {"default", "laptop"}
    assert names["laptop"]["hint"].endswith(made["key"][-4:])
    assert names["laptop"]["state"] == "live"
    for output in (listed.out, table.out):
        assert made["key"] not in output
        assert default not in output
    assert [row[0] for row in table.rows] == ["default", "laptop"]
    assert [row[-1] for row in table.rows] == ["all models", "all models"]
    assert table.rows[1][-3] == f"until {made['expires_at'][:10]}"


def test_a_pinned_key_is_shown_and_cannot_be_changed(inside: Home) -> None:
    pin = "pinned-0123456789abcdef"
    assert inside.run("key", "show", DRAGOMAN_API_KEY=pin).out == pin + "\n"
    refused = inside.run("key", "rotate", "default", DRAGOMAN_API_KEY=pin)
    assert refused.status == 1
    assert "DRAGOMAN_API_KEY" in refused.err
    assert pin not in refused.err
    assert inside.run("key", "list", DRAGOMAN_API_KEY=pin).rows[0][-3] == (
        "pinned by environment variable DRAGOMAN_API_KEY"
    )


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        (["create", "--name", "x", "--expires", "soon"], 2, "'--expires': `soon` is no time"),
        (["create", "--name", "x", "--scope", "root"], 2, "'--scope'"),
        (["create", "--name", "x", "--expires", "2001-01-01"], 2, "passed already"),
        (["create", "--name", "default"], 1, "the gateway's own"),
        (["rotate", "nobody"], 1, "There is no gateway key 'nobody'"),
        (["revoke", "default"], 1, "Rotate it"),
    ],
)
def test_what_cannot_be_done_is_told(
    inside: Home, arguments: list[str], status: int, told: str
) -> None:
    outcome = inside.run("key", *arguments)
    assert outcome.status == status
    assert outcome.out == ""
    assert outcome.err.startswith("error: ")
    assert told in outcome.err
    assert outcome.err.count("\n") == 1


@pytest.mark.parametrize(
    ("scopes", "models", "opens"),
    [
        ({Scope.INFERENCE}, (), "all models"),
        ({Scope.INFERENCE}, ("a:*", "b:c"), "a:*, b:c"),
        ({Scope.ADMIN}, (), "management"),
        (set(Scope), (), "all models, management"),
    ],
)
def test_what_a_key_opens(scopes: set[Scope], models: tuple[str, ...], opens: str) -> None:
    key = GatewayKey("key_1", "n", frozenset(scopes), "sk…", models=models)
    assert _describe_reach(key) == opens


def test_a_key_as_json_has_times_in_utc() -> None:
    key = GatewayKey(
        "key_1", "n", frozenset(Scope), "sk…", created_at=1_700_000_000_000, expires_at=1
    )
    assert describe_key(key) == {
        "id": "key_1",
        "name": "n",
        "hint": "sk…",
        "state": "expired",
        "scopes": ["admin", "inference"],
        "models": [],
        "rpm": None,
        "tpm": None,
        "concurrency": None,
        "budgets": [],
        "expires_at": "1970-01-01T00:00:00Z",
        "created_at": "2023-11-14T22:13:20Z",
        "revoked_at": None,
        "rotated_at": None,
        "pinned_by": None,
    }


LIMITS = {"rpm": 60, "tpm": 9000, "concurrency": 2, "budgets": ["5/day", "100/month"]}


def test_limits_are_made_listed_and_changed(inside: Home) -> None:
    counts = ("--rpm", "60", "--tpm", "9000", "--concurrency", "2")
    budgets = ("--budget", "5/day", "--budget", "$100 / month")
    made = inside.run("key", "create", "--name", "laptop", *counts, *budgets, "--json").json
    assert {name: made[name] for name in LIMITS} == LIMITS
    rows = {row[0]: row for row in inside.run("key", "list").rows}
    assert rows["laptop"][-2] == "60 rpm, 9000 tpm, 2 concurrency, 5/day, 100/month"
    assert rows["default"][-2] == "none"

    options = ("--rpm", "10", "--budget", "1/day,2/week", "--lift", "tpm,concurrency")
    changed = inside.run("key", "change", "laptop", *options, "--json").json
    expected = {"rpm": 10, "tpm": None, "concurrency": None, "budgets": ["1/day", "2/week"]}
    assert {name: changed[name] for name in LIMITS} == expected

    told = inside.run("key", "change", "laptop", "--lift", "rpm,budget", "--models", "a:*")
    assert told.out == "The key laptop opens a:*; limits: none.\n"


def test_the_default_key_can_be_limited(inside: Home) -> None:
    inside.run("key", "show")
    changed = inside.run("key", "change", "default", "--budget", "20/month", "--json")
    assert changed.json["budgets"] == ["20/month"]


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (("--rpm", "0"), "--rpm"),
        (("--budget", "5"), "--budget"),
        (("--budget", "5/day,6/day"), "--budget"),
        (("--expires", "soon"), "--expires"),
    ],
)
def test_limits_that_make_no_sense_are_wrong_usage(
    options: tuple[str, ...], named: str, inside: Home
) -> None:
    for command in (("create", "--name", "k"), ("change", "default")):
        outcome = inside.run("key", *command, *options)
        assert (outcome.status, outcome.out) == (2, "")
        assert named in outcome.err


def test_only_limits_can_be_lifted(inside: Home) -> None:
    outcome = inside.run("key", "change", "default", "--lift", "name")
    assert outcome.status == 2
    assert "models, rpm, tpm, concurrency, budget, expires" in outcome.err
