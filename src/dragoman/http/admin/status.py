"""How the gateway is doing, and the order to look at its database again."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from fastapi import Request
from pydantic import Field

from dragoman import __version__
from dragoman.gateway import Gateway
from dragoman.http.admin.providers import ProviderState, find_state
from dragoman.http.admin.route import Answer, GatewayPart, new_router
from dragoman.local.process import State

router = new_router()


class TotalsAnswer(Answer):
    """Counts since the gateway started."""

    requests: int
    errors: int
    input_tokens: int
    output_tokens: int
    by_status: dict[int, int] = Field(description="requests by HTTP status")


class RecordsAnswer(Answer):
    """How the record of requests is getting into the database."""

    waiting: int = Field(description="records that are not written yet")
    lost: int = Field(description="given up since the gateway started")
    failure: str | None = Field(description="why the database takes none, null while it does")


class LocalModelAnswer(Answer):
    """A local model and its process."""

    id: str
    path: str
    state: State
    users: int = Field(description="requests that hold it now")
    rss: int | None = Field(description="resident memory in bytes, while it runs")
    since: float | None = Field(description="Unix time at which it was started, while it runs")
    error: str | None = Field(description="why it failed last")


class ConfigurationAnswer(Answer):
    """Since when the configuration holds, and what of the file does not."""

    file: str | None = Field(description="null where there is no configuration file")
    loaded_at: datetime
    needs_restart: list[str] = Field(description="settings that are changed in the file, not yet")
    refusal: str | None = Field(description="why the latest change was not taken over")


class LoadAnswer(Answer):
    """How much there is to do."""

    served: int = Field(description="requests that are being served")
    waiting: int = Field(description="requests that wait for their turn")
    limit: int = Field(description="`max_requests`")


class StatusAnswer(Answer):
    """How the gateway is doing."""

    version: str
    started_at: datetime
    uptime_s: float
    url: str = Field(description="the address that this answer came from")
    config_file: str | None = Field(description="null where there is no configuration file")
    configuration: ConfigurationAnswer
    load: LoadAnswer
    data_dir: str
    database: str = Field(description="its kind: `sqlite` or `postgresql`")
    revision: int = Field(description="grows with every change in the database")
    warnings: list[str] = Field(description="what the configuration allows but may surprise")
    problems: dict[str, str] = Field(description="providers that cannot be used, and why")
    providers: dict[str, ProviderState]
    models: int = Field(description="how many models can be asked for")
    local_models: list[LocalModelAnswer]
    totals: TotalsAnswer
    records: RecordsAnswer


class ReloadAnswer(Answer):
    """What the gateway goes by now."""

    revision: int


@router.get("/status", summary="Tell how the gateway is doing")
async def show_status(request: Request, gateway: GatewayPart) -> StatusAnswer:
    """Everything that a first page shows, in one answer."""
    return StatusAnswer(
        version=__version__,
        started_at=datetime.fromtimestamp(gateway.started_at, UTC),
        uptime_s=round(time.time() - gateway.started_at, 3),
        url=_own_url(request),
        config_file=str(gateway.settings.file) if gateway.settings.file else None,
        configuration=ConfigurationAnswer(
            file=str(gateway.settings.file) if gateway.settings.file else None,
            loaded_at=datetime.fromtimestamp(gateway.config.loaded_at, UTC),
            needs_restart=list(gateway.config.needs_restart),
            refusal=gateway.config.refusal,
        ),
        load=LoadAnswer(
            served=gateway.admission.served,
            waiting=gateway.admission.waiting,
            limit=gateway.admission.limit,
        ),
        data_dir=str(gateway.directory.path),
        database=_database_kind(gateway),
        revision=gateway.revision,
        warnings=list(gateway.settings.warnings),
        problems=gateway.problems,
        providers={
            each.id: find_state(gateway, each) for each in gateway.router.providers.values()
        },
        models=len(gateway.router.models()),
        local_models=[LocalModelAnswer.model_validate(each) for each in gateway.local.status()],
        totals=TotalsAnswer.model_validate(gateway.totals),
        records=RecordsAnswer.model_validate(gateway.ledger),
    )


@router.post("/reload", summary="Look at the database again")
async def reload(gateway: GatewayPart) -> ReloadAnswer:
    """Takes over at once what another process has changed, instead of within a second."""
    await gateway.reload()
    gateway.tell_others()
    return ReloadAnswer(revision=gateway.revision)


def _own_url(request: Request) -> str:
    """By the socket, not by the `Host` header: that one is the caller's word."""
    host, port = request.scope["server"]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _database_kind(gateway: Gateway) -> str:
    url = gateway.settings.server.database_url
    is_postgresql = url is not None and url.get_secret_value().startswith("postgres")
    return "postgresql" if is_postgresql else "sqlite"
