"""Activities in other processes: what they are told, and how their heartbeats come back."""

from __future__ import annotations

import concurrent.futures
import logging
import multiprocessing.managers
import queue
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from .. import activity
from ..converter import PayloadConverter

logger = logging.getLogger("holdfast.activity")


class SharedHeartbeatSender(ABC):
    """Sends the heartbeats of an activity from its process; it is pickled on its way there."""

    @abstractmethod
    def send_heartbeat(self, task_token: bytes, *details: Any) -> None:
        """Has the worker record one."""


class SharedStateManager(ABC):
    """What a worker shares with the processes that run its activities."""

    @staticmethod
    def create_from_multiprocessing(
        mgr: multiprocessing.managers.SyncManager,
        queue_poller_executor: concurrent.futures.Executor | None = None,
    ) -> SharedStateManager:
        """Over a manager of multiprocessing's: `multiprocessing.Manager()`.

        queue_poller_executor: where the heartbeats are waited for; a thread of its own if None.
        """
        return _MultiprocessingState(mgr, queue_poller_executor)

    @abstractmethod
    def new_event(self) -> threading.Event:
        """Something like a threading.Event that can be pickled, and is one event everywhere."""

    def new_list(self) -> list[Any] | None:
        """The same of a list; None: activities there are not told why they should stop."""
        return None

    @abstractmethod
    def register_heartbeater(
        self, task_token: bytes, heartbeat: Callable[..., None]
    ) -> SharedHeartbeatSender:
        """From now on `heartbeat` is called, in some thread, with the details of what is sent."""

    @abstractmethod
    def unregister_heartbeater(self, task_token: bytes) -> None:
        """Ends that; returns when what was sent before has been handed over."""


class _QueueSender(SharedHeartbeatSender):
    def __init__(self, sent: queue.Queue[Any]) -> None:
        self._sent = sent

    def send_heartbeat(self, task_token: bytes, *details: Any) -> None:
        self._sent.put((task_token, details))


class _MultiprocessingState(SharedStateManager):
    """Heartbeats go through one queue, which one thread reads while activities run."""

    def __init__(
        self,
        manager: multiprocessing.managers.SyncManager,
        executor: concurrent.futures.Executor | None,
    ) -> None:
        self._manager = manager
        self._executor = executor
        self._sent: queue.Queue[Any] = manager.Queue()
        self._lock = threading.Lock()
        # By token: what takes heartbeats, and what is set when the last one was taken.
        self._takers: dict[bytes, tuple[Callable[..., None], threading.Event]] = {}
        self._is_polling = False

    def new_event(self) -> threading.Event:
        return self._manager.Event()

    def new_list(self) -> list[Any]:
        made: list[Any] = self._manager.list()  # type: ignore[assignment]
        return made

    def register_heartbeater(
        self, task_token: bytes, heartbeat: Callable[..., None]
    ) -> SharedHeartbeatSender:
        with self._lock:
            self._takers[task_token] = (heartbeat, threading.Event())
            is_polling, self._is_polling = self._is_polling, True
        if not is_polling and self._executor is not None:
            self._executor.submit(self._poll)
        elif not is_polling:
            threading.Thread(target=self._poll, name="holdfast-heartbeats", daemon=True).start()
        return _QueueSender(self._sent)

    def unregister_heartbeater(self, task_token: bytes) -> None:
        with self._lock:
            taker = self._takers.get(task_token)
        if taker is None:
            return
        # Behind everything that the activity has sent.
        self._sent.put((task_token, None))
        taker[1].wait()

    def _poll(self) -> None:
        try:
            while self._take(*self._sent.get()):
                pass
        except (EOFError, OSError):
            # The manager's process is gone, and so is what was sent.
            with self._lock:
                takers, self._takers = self._takers, {}
                self._is_polling = False
            for _, is_over in takers.values():
                is_over.set()

    def _take(self, token: bytes, details: Sequence[Any] | None) -> bool:
        """False: nothing more is to come."""
        if details is None:
            with self._lock:
                _, is_over = self._takers.pop(token)
                self._is_polling = bool(self._takers)
                goes_on = self._is_polling
            is_over.set()
            return goes_on
        with self._lock:
            taker = self._takers.get(token)
        if taker is not None:
            try:
                taker[0](*details)
            except Exception:
                logger.exception("a heartbeat cannot be recorded")
        return True


@dataclass(frozen=True)
class Told:
    """What an activity in another process is told."""

    info: activity.Info
    sender: SharedHeartbeatSender | None
    cancelled: Any
    why: Any
    worker_shutdown: Any
    converter_class: type[PayloadConverter]

    def context(self) -> activity.Context:
        """In its process."""
        token, sender = self.info.task_token, self.sender

        def heartbeat(*details: Any) -> None:
            if sender is not None:
                sender.send_heartbeat(token, *details)

        return activity.Context(
            info=lambda: self.info,
            heartbeat=heartbeat,
            cancelled=activity.Signal(self.cancelled),
            worker_shutdown=activity.Signal(self.worker_shutdown),
            payload_converter=self.converter_class(),
            cancellation_details=lambda: self.why[0] if self.why else None,
        )


def run_in_process(told: Told, function: Callable[..., Any], arguments: Sequence[Any]) -> Any:
    """In the other process: runs an activity's function."""
    token = activity.current.set(told.context())
    try:
        return function(*arguments)
    finally:
        activity.current.reset(token)


class Elsewhere:
    """The worker's side of an activity in another process; its calls wait for the manager."""

    def __init__(
        self,
        shared: SharedStateManager,
        info: activity.Info,
        beat: Callable[..., None],
        worker_shutdown: Any,
        converter_class: type[PayloadConverter],
    ) -> None:
        self._shared = shared
        # A local activity has no token, and no heartbeats.
        token = info.task_token
        sender = shared.register_heartbeater(token, beat) if token else None
        self.told = Told(
            info, sender, shared.new_event(), shared.new_list(), worker_shutdown, converter_class
        )

    def cancel(self, details: activity.ActivityCancellationDetails) -> None:
        if self.told.why is not None:
            self.told.why.append(details)
        self.told.cancelled.set()

    def end(self) -> None:
        if self.told.sender is not None:
            self._shared.unregister_heartbeater(self.told.info.task_token)
