"""openapi.route: what must be true of every route that the tables name."""

from __future__ import annotations

import re

import pytest

from dragoman.http.openapi.document import ROUTES
from dragoman.http.openapi.route import Route
from dragoman.protocols import OPERATIONS

BY_NAME = {route.name: route for route in ROUTES}
SHAPES = {operation.path: operation.error_shape for operation in OPERATIONS}
each_route = pytest.mark.parametrize("route", ROUTES, ids=list(BY_NAME))


@each_route
def test_a_route_answers_and_shows_what_it_takes(route: Route) -> None:
    assert route.answer or route.stream
    assert bool(route.request) == bool(route.examples) == (route.method == "post")


@each_route
def test_parameters_in_the_path_are_those_of_the_path(route: Route) -> None:
    named = {parameter.name for parameter in route.parameters if parameter.place == "path"}
    assert named == set(re.findall(r"{(\w+)}", route.path))


@each_route
def test_errors_have_the_shape_of_the_operation(route: Route) -> None:
    path = re.sub("^/v1(beta)?", "", route.path)
    assert SHAPES.get(path, route.shape) is route.shape


@each_route
def test_only_bodies_that_name_the_model_can_stand_behind_a_provider(route: Route) -> None:
    if route.by_provider and route.request:
        assert all("model" in body for body in route.examples.values())
