"""Everything that is stored, opened together and checked to belong together."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dragoman.secrets import SecretBox
from dragoman.store.database import Database
from dragoman.store.keys import KeyStore
from dragoman.store.model_lists import ModelListStore
from dragoman.store.providers import ProviderStore
from dragoman.store.requests import RequestStore
from dragoman.store.responses import ResponseStore
from dragoman.store.settings import SettingStore
from dragoman.store.usage import UsageStore

SECRET_KEY_SETTING = "secret_key"  # noqa: S105 - a setting's name; its value is a fingerprint


@dataclass(frozen=True, slots=True)
class Store:
    """One database and what is kept in it."""

    database: Database
    providers: ProviderStore
    keys: KeyStore
    model_lists: ModelListStore
    settings: SettingStore
    requests: RequestStore
    usage: UsageStore
    responses: ResponseStore

    @classmethod
    async def open(cls, where: Path | str, box: SecretBox) -> Store:
        """Opens the SQLite file or database URL `where`.

        Raises `StoreError` when the database's secrets belong to another secret key than the
        box's: with the wrong one no provider key could be read, and no gateway key would be
        recognised.
        """
        database = await Database.open(where)
        try:
            settings = SettingStore(database)
            await _confirm_secret_key(settings, box)
        except BaseException:
            await database.aclose()
            raise
        return cls(
            database=database,
            providers=ProviderStore(database, box),
            keys=KeyStore(database),
            model_lists=ModelListStore(database),
            settings=settings,
            requests=RequestStore(database, box),
            usage=UsageStore(database),
            responses=ResponseStore(database, box),
        )

    async def aclose(self) -> None:
        """Closes the database."""
        await self.database.aclose()


async def _confirm_secret_key(settings: SettingStore, box: SecretBox) -> None:
    fingerprint = await settings.get(SECRET_KEY_SETTING)
    if fingerprint is None:
        fingerprint = await settings.set_once(SECRET_KEY_SETTING, box.fingerprint)
    if fingerprint != box.fingerprint:
        raise box.wrong_key(str(fingerprint))
