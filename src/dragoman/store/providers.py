"""Providers that were added at run time, as specifications, in the order in which they came.

API keys, extra headers and the proxy's URL may hold secrets; they are sealed as one piece. The
rest of a specification is stored as a person wrote it, without what was left at its default, so
that a later version's better default reaches it.
"""

from __future__ import annotations

import json
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Row, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from dragoman.errors import Conflict, ProviderNotFound, StoreError
from dragoman.providers.spec import ProviderSpec
from dragoman.secrets import SecretBox
from dragoman.store.clock import now_ms
from dragoman.store.database import Database
from dragoman.store.schema import model_lists, providers

_SECRET_FIELDS = {"api_keys", "headers", "proxy"}


class ProviderStore:
    """Reads and writes specifications with their secrets in the clear."""

    def __init__(self, database: Database, box: SecretBox) -> None:
        self._database = database
        self._box = box

    async def list(self) -> tuple[ProviderSpec, ...]:
        """Every provider, in order."""
        async with self._database.read() as connection:
            rows = await connection.execute(
                select(providers).order_by(providers.c.position, providers.c.id)
            )
            return tuple(self._unpack(row) for row in rows)

    async def get(self, provider_id: str) -> ProviderSpec:
        """One provider. Raises `ProviderNotFound`."""
        async with self._database.read() as connection:
            return await self._find(connection, provider_id)

    async def add(self, spec: ProviderSpec) -> None:
        """Adds a provider after the others. Raises `Conflict` when its id is taken."""
        now = now_ms()
        try:
            async with self._database.write() as connection:
                last = await connection.execute(select(func.max(providers.c.position)))
                row = {
                    **self._pack(spec),
                    "id": spec.id,
                    "position": (last.scalar_one() or 0) + 1,
                    "created_at": now,
                    "updated_at": now,
                }
                await connection.execute(insert(providers).values(row))
        except IntegrityError:
            raise Conflict(
                f"There is a provider {spec.id!r} already. Choose another id, or change that one."
            ) from None

    async def replace(self, spec: ProviderSpec) -> None:
        """Replaces the provider that has the same id. Raises `ProviderNotFound`."""
        async with self._database.write() as connection:
            await self._put(connection, spec)

    async def set_enabled(self, provider_id: str, enabled: bool) -> None:
        """Switches a provider on or off. Raises `ProviderNotFound`."""
        async with self._database.write() as connection:
            spec = await self._find(connection, provider_id)
            await self._put(connection, spec.model_copy(update={"enabled": enabled}))

    async def remove(self, provider_id: str) -> None:
        """Removes a provider and its model list. Raises `ProviderNotFound`."""
        async with self._database.write() as connection:
            removed = await connection.execute(
                delete(providers).where(providers.c.id == provider_id)
            )
            if not removed.rowcount:
                raise _not_found(provider_id)
            await connection.execute(
                delete(model_lists).where(model_lists.c.provider_id == provider_id)
            )

    async def _find(self, connection: AsyncConnection, provider_id: str) -> ProviderSpec:
        found = await connection.execute(select(providers).where(providers.c.id == provider_id))
        row = found.one_or_none()
        if row is None:
            raise _not_found(provider_id)
        return self._unpack(row)

    async def _put(self, connection: AsyncConnection, spec: ProviderSpec) -> None:
        changed = await connection.execute(
            update(providers)
            .where(providers.c.id == spec.id)
            .values({**self._pack(spec), "updated_at": now_ms()})
        )
        if not changed.rowcount:
            raise _not_found(spec.id)

    def _pack(self, spec: ProviderSpec) -> dict[str, Any]:
        fields = spec.model_dump(mode="json", exclude_defaults=True, exclude={"id"})
        single = fields.pop("api_key", None)
        if single is not None:
            fields["api_keys"] = [single, *spec.api_keys]
        secret = {name: fields.pop(name) for name in _SECRET_FIELDS & fields.keys()}
        return {"spec": fields, "sealed": self._box.encrypt(json.dumps(secret))}

    def _unpack(self, row: Row[Any]) -> ProviderSpec:
        secret = json.loads(self._box.decrypt(row.sealed))
        try:
            return ProviderSpec.model_validate({"id": row.id, **row.spec, **secret})
        except ValidationError as error:
            # Not the error itself: it quotes the input, in which the keys are.
            fault = error.errors(include_input=False, include_url=False)[0]
            field = ".".join(str(part) for part in fault["loc"])
            raise StoreError(
                f"The stored provider {row.id!r} cannot be read: {field}: {fault['msg']}. It was"
                " written by another version of Dragoman; remove it and add it again."
            ) from None


def _not_found(provider_id: str) -> ProviderNotFound:
    return ProviderNotFound(
        f"No provider {provider_id!r} was added at run time. `dragoman provider list` shows all."
    )
