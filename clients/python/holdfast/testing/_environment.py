"""An engine for a test, and its time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypedDict

from .. import _messages as proto
from .._chaos import Chaos, ChaosReport
from .._engine import LocalEngine
from ..client import Client, Interceptor
from ..common import QueryRejectCondition, SearchAttributeKey, from_instant_ms, to_ms
from ..converter import DataConverter
from ..service import FOREVER

if TYPE_CHECKING:
    from typing_extensions import Unpack

RESUME_WINDOW = timedelta(seconds=10, milliseconds=1)


class EnvironmentOptions(TypedDict, total=False):
    """How an environment's engine is started, and what its client is.

    search_attributes: keys that workflows are to have. binary: None is $HOLDFAST_BIN, else the
    engine of this package, else the one in $PATH. arguments: further ones of `holdfast serve`. The
    others: as of Client.connect.
    """

    namespace: str
    data_converter: DataConverter
    interceptors: Sequence[Interceptor]
    default_workflow_query_reject_condition: QueryRejectCondition | None
    identity: str | None
    search_attributes: Sequence[SearchAttributeKey[Any]]
    binary: str | None
    arguments: Sequence[str]


class WorkflowEnvironment:
    """An engine of its own for a test, which ends with the environment.

        async with await WorkflowEnvironment.start_time_skipping() as env:
            async with Worker(env.client, task_queue="q", workflows=[Reminder]):
                await env.client.execute_workflow(Reminder.run, id="r-1", task_queue="q")

    Where time skips, the code above returns at once, though the workflow sleeps for 30 days: while
    `client` waits for a workflow's result or an update, or the test is in `sleep`, time jumps from
    event to event. It does not jump while a workflow task waits or is out (also one that no worker
    serves, or that fails and is tried again), nor while an activity waits or runs. What else waits
    (timers, back-offs of activities, timeouts, schedules, cron) is jumped to.
    """

    def __init__(self, client: Client, engine: LocalEngine | None, skips_time: bool) -> None:
        """Use start_local, start_time_skipping or from_client."""
        self._client = client
        self._engine = engine
        self._skips_time = skips_time
        self._chaos: Chaos | None = None
        self._restarting: asyncio.Task[None] | None = None
        self._unlocking: asyncio.Future[None] | None = None

    @staticmethod
    def from_client(client: Client) -> WorkflowEnvironment:
        """Of an engine that is there already; its time passes as it does outside."""
        return WorkflowEnvironment(client, None, False)

    @staticmethod
    async def start_local(
        *, database: str | None = None, **options: Unpack[EnvironmentOptions]
    ) -> WorkflowEnvironment:
        """Starts an engine whose time passes as it does outside.

        database: the engine's file; None: everything ends with the environment.
        """
        return await _started(skips_time=False, database=database, **options)

    @staticmethod
    async def start_time_skipping(
        *, database: str | None = None, **options: Unpack[EnvironmentOptions]
    ) -> WorkflowEnvironment:
        """The same, where time in which nothing happens is skipped."""
        return await _started(skips_time=True, database=database, **options)

    @staticmethod
    async def start_chaos(seed: int, **options: Unpack[EnvironmentOptions]) -> WorkflowEnvironment:
        """Starts an engine whose time skips, and lets go wrong what may go wrong.

        Workers made with `client` forget each workflow with the end of its task, and run it from
        its history for the next one; some activities run twice, and some workers are lost with what
        they have in hand; the engine is killed and started again. The seed says when. At the end
        `chaos_report` tells which workflow did something else when it was run again, and which
        activity gave another result.
        """
        environment = await _started(skips_time=True, keeps_database=True, **options)
        environment._begin_chaos(Chaos(seed))
        return environment

    @property
    def chaos_report(self) -> ChaosReport:
        """What has gone wrong so far, and who has not stood it. RuntimeError: no chaos is here."""
        if self._chaos is None:
            raise RuntimeError("only an environment of start_chaos has a report")
        return self._chaos.report

    @property
    def client(self) -> Client:
        """Waiting with it lets time skip; with another client of the engine, it does not."""
        return self._client

    @property
    def supports_time_skipping(self) -> bool:
        return self._skips_time

    async def shutdown(self) -> None:
        """Ends the engine, unless it was there before."""
        under_way = [one for one in (self._restarting, self._unlocking) if one is not None]
        if under_way:
            await asyncio.wait(under_way)
        if self._engine is not None:
            await self._client.close()
            await asyncio.to_thread(self._engine.stop)

    async def __aenter__(self) -> WorkflowEnvironment:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.shutdown()

    # MARK: Chaos

    def _begin_chaos(self, chaos: Chaos) -> None:
        self._chaos = self._client._chaos = chaos
        chaos.pass_worker_lost = self._pass_worker_lost
        chaos.restart_engine = self._restart

    async def _pass_worker_lost(self) -> None:
        """The engine waits so long for a worker to come back with what it has in hand."""
        # When this is answered it has seen that the worker's connection is gone.
        await self._client.service_client.call(
            proto.OperatorService.Health, proto.HealthRequest(), timeout=FOREVER
        )
        await self.advance_time(RESUME_WINDOW)

    def _restart(self) -> None:
        if self._restarting is None or self._restarting.done():
            self._restarting = asyncio.create_task(self._restart_now())

    async def _restart_now(self) -> None:
        assert self._engine is not None and self._chaos is not None
        self._engine.kill()
        await self._engine.start()
        await _let_skip(self._client)
        self._chaos.report.engine_restarts += 1

    # MARK: Time

    async def get_current_time(self) -> datetime:
        """The engine's time."""
        if not self._skips_time:
            return datetime.now(timezone.utc)
        response = await self._client.service_client.call(
            proto.OperatorService.GetTime, proto.GetTimeRequest()
        )
        return from_instant_ms(response.current_time_ms)

    async def sleep(self, duration: timedelta | float) -> None:
        """Returns when so much of the engine's time has passed; what happens meanwhile has."""
        span = duration if isinstance(duration, timedelta) else timedelta(seconds=duration)
        if not self._skips_time:
            await asyncio.sleep(span.total_seconds())
            return
        request = proto.SleepRequest(duration_ms=to_ms(span), unlock=True)
        await self._client.service_client.call(
            proto.OperatorService.Sleep, request, timeout=FOREVER
        )

    async def advance_time(self, duration: timedelta) -> None:
        """Moves time on at once, whatever holds it, as if the machine had been suspended.

        What is under way may time out by it. Only where time skips.
        """
        request = proto.AdvanceTimeRequest(duration_ms=to_ms(duration))
        await self._client.service_client.call(proto.OperatorService.AdvanceTime, request)

    @contextmanager
    def auto_time_skipping_disabled(self) -> Iterator[None]:
        """Within, no waiting for a workflow lets time skip; only `sleep` does."""
        if not self._skips_time:
            yield
            return
        lock = proto.LockTimeRequest()
        # It is on its way before the next call of this client, and whoever waits is behind it.
        begun = asyncio.ensure_future(
            self._client.service_client.call(proto.OperatorService.LockTime, lock)
        )
        try:
            yield
        finally:
            self._unlocking = asyncio.ensure_future(self._unlock(begun))

    async def _unlock(self, begun: asyncio.Future[Any]) -> None:
        await begun
        await self._client.service_client.call(
            proto.OperatorService.UnlockTime, proto.UnlockTimeRequest()
        )


async def _let_skip(client: Client) -> None:
    """It ends with the connection."""
    request = proto.UnlockTimeRequest(while_waiting=True)
    await client.service_client.call(proto.OperatorService.UnlockTime, request)


async def _started(
    *,
    skips_time: bool,
    database: str | None = None,
    keeps_database: bool = False,
    binary: str | None = None,
    arguments: Sequence[str] = (),
    search_attributes: Sequence[SearchAttributeKey[Any]] = (),
    namespace: str = "default",
    data_converter: DataConverter = DataConverter.default,
    interceptors: Sequence[Interceptor] = (),
    default_workflow_query_reject_condition: QueryRejectCondition | None = None,
    identity: str | None = None,
) -> WorkflowEnvironment:
    engine = LocalEngine(
        binary=binary,
        database=database,
        keeps_database=keeps_database,
        skips_time=skips_time,
        arguments=arguments,
    )
    await engine.start()
    client = await Client.connect(
        engine.socket_path,
        namespace=namespace,
        data_converter=data_converter,
        interceptors=interceptors,
        default_workflow_query_reject_condition=default_workflow_query_reject_condition,
        identity=identity,
    )
    service = client.service_client
    if namespace != "default":
        await service.call(
            proto.OperatorService.CreateNamespace, proto.CreateNamespaceRequest(namespace=namespace)
        )
    for key in search_attributes:
        request = proto.AddSearchAttributeRequest(
            namespace=namespace, name=key.name, type=key.indexed_value_type
        )
        await service.call(proto.OperatorService.AddSearchAttribute, request)
    if skips_time:
        await _let_skip(client)
    return WorkflowEnvironment(client, engine, skips_time)
