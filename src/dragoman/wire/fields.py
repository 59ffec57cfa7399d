"""Reads a JSON object member by member, knowing where it stands.

Every wrong type raises `InvalidRequest` with the member's full path (`messages.0.content`), and
what no one has asked for is left over at the end, so that a codec cannot overlook a member: it
takes what it knows and hands the rest on. A member that is null counts as absent.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from dragoman.errors import InvalidRequest


class Fields:
    """One JSON object at the path `at` ("" for the whole body). Taking a member removes it."""

    __slots__ = ("_members", "at")

    def __init__(self, members: dict[str, Any], at: str = "") -> None:
        self._members = members
        self.at = at

    def place(self, name: str) -> str:
        """The path of the member `name`."""
        return f"{self.at}.{name}" if self.at else name

    def take(self, name: str) -> Any:
        """The member as it is, None where absent."""
        return self._members.pop(name, None)

    def text(self, name: str) -> str | None:
        value = self._members.pop(name, None)
        if value is None or isinstance(value, str):
            return value
        raise self.wrong(name, "a string")

    def required_text(self, name: str) -> str:
        value = self._members.pop(name, None)
        if isinstance(value, str):
            return value
        raise self.wrong(name, "a string")

    def integer(self, name: str) -> int | None:
        """A whole number; `2.0` counts as one, since some languages write it so."""
        value = self._members.pop(name, None)
        if value is None or (isinstance(value, int) and not isinstance(value, bool)):
            return value
        if isinstance(value, float) and value.is_integer():
            return int(value)
        raise self.wrong(name, "a whole number")

    def number(self, name: str) -> float | None:
        value = self._members.pop(name, None)
        if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
            return value
        raise self.wrong(name, "a number")

    def boolean(self, name: str) -> bool | None:
        value = self._members.pop(name, None)
        if value is None or isinstance(value, bool):
            return value
        raise self.wrong(name, "true or false")

    def object(self, name: str) -> dict[str, Any] | None:
        value = self._members.pop(name, None)
        if value is None or isinstance(value, dict):
            return cast("dict[str, Any] | None", value)
        raise self.wrong(name, "an object")

    def fields(self, name: str) -> Fields | None:
        """The member as `Fields` of its own."""
        value = self.object(name)
        return None if value is None else Fields(value, self.place(name))

    def array(self, name: str) -> list[Any] | None:
        value = self._members.pop(name, None)
        if value is None or isinstance(value, list):
            return cast("list[Any] | None", value)
        raise self.wrong(name, "an array")

    def each(self, name: str, *, required: bool = False) -> Iterator[Fields]:
        """The objects of an array; none where it is absent, unless it is `required`."""
        values = self.array(name)
        if values is None and required:
            raise self.wrong(name, "an array")
        for index, value in enumerate(values or ()):
            yield as_fields(value, f"{self.place(name)}.{index}")

    def strings(self, name: str) -> tuple[str, ...]:
        """A string, or an array of strings."""
        value = self._members.pop(name, None)
        if value is None:
            return ()
        if isinstance(value, str):
            return (value,)
        if isinstance(value, list):
            items = cast("list[Any]", value)
            if all(isinstance(item, str) for item in items):
                return tuple(items)
        raise self.wrong(name, "a string or an array of strings")

    def rest(self) -> dict[str, Any]:
        """The members that nobody has taken, without the nulls."""
        return {name: value for name, value in self._members.items() if value is not None}

    def wrong(self, name: str, expected: str) -> InvalidRequest:
        """The error for a member that is missing or not `expected`."""
        place = self.place(name)
        return InvalidRequest(f"`{place}` must be {expected}.", param=place)


def as_fields(value: Any, at: str) -> Fields:
    """`value`, which must be an object, at the path `at`."""
    if isinstance(value, dict):
        return Fields(cast("dict[str, Any]", value), at)
    raise InvalidRequest(f"`{at}` must be an object.", param=at)


def object_of(value: Any) -> dict[str, Any]:
    """`value` where it is an object, else an empty one: for what may be malformed harmlessly."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def objects_of(value: Any) -> list[dict[str, Any]]:
    """The objects in `value` where it is an array, else none."""
    values = cast("list[Any]", value) if isinstance(value, list) else []
    return [cast("dict[str, Any]", item) for item in values if isinstance(item, dict)]
