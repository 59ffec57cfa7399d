"""errors: the tree that its docstring draws is the tree that there is."""

from __future__ import annotations

import re

import pytest

from dragoman import errors
from dragoman.errors import DragomanError


def tree(kind: type[DragomanError]) -> list[type[DragomanError]]:
    return [kind, *(each for child in kind.__subclasses__() for each in tree(child))]


OURS = [kind for kind in tree(DragomanError) if kind.__module__ == errors.__name__]
DRAWN = re.findall(r"[├└]── (\w+) +(\d{3}|its own status) +(\w+)", errors.__doc__ or "")


def test_every_leaf_is_drawn_with_its_status_and_code() -> None:
    leaves = {kind for kind in OURS if not kind.__subclasses__()}
    assert {name for name, _, _ in DRAWN} == {kind.__name__ for kind in leaves}
    for name, status, code in DRAWN:
        kind = getattr(errors, name)
        assert kind.code == code
        assert status == "its own status" or int(status) == kind.status


def test_who_erred_is_told_by_the_class() -> None:
    for kind in OURS:
        if issubclass(kind, errors.CallerError):
            assert 400 <= kind.status < 500
            assert not kind.retryable
        elif issubclass(kind, errors.UpstreamError | errors.GatewayError):
            assert kind.status >= 500


@pytest.mark.parametrize(
    ("status", "retryable"),
    [(400, False), (404, False), (422, False), (401, True), (403, True), (429, True), (500, True)],
)
def test_which_refusals_another_attempt_may_avoid(status: int, retryable: bool) -> None:
    assert errors.UpstreamRefused("no", status=status).retryable is retryable


def test_untranslatable_names_the_first_path() -> None:
    error = errors.Untranslatable("no", paths=["messages.0", "top_k"])
    assert (error.param, error.paths) == ("messages.0", ("messages.0", "top_k"))
