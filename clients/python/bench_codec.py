#!/usr/bin/env python3
"""What messages cost: nanoseconds to make, encode and decode two typical ones."""

from __future__ import annotations

import time
from collections.abc import Callable

from holdfast._proto.common import Payload
from holdfast._proto.worker import (
    Activation,
    Command,
    InitializeWorkflow,
    Job,
    ScheduleActivity,
    StartTimer,
    WorkflowTaskCompleted,
)

ROUNDS = 5
TIMES = 20_000


def activation() -> Activation:
    start = InitializeWorkflow(
        input=[Payload(encoding="json/plain", data=b'{"order": "o-17", "cents": 4200}')],
        random_seed=2**63 + 5,
        first_run_id="0190f3c2-4a55-7d10-9a44-7f1de23bb0a1",
        start_time_ms=1_790_000_000_000,
        identity="4711@host",
        attempt=1,
    )
    return Activation(
        token=b"0123456789abcdef",
        run_id="0190f3c2-4a55-7d10-9a44-7f1de23bb0a1",
        workflow_id="order-17",
        workflow_type="Order",
        activation_time_ms=1_790_000_000_000,
        jobs=[Job(initialize_workflow=start)],
        through_event_id=3,
        history_length=3,
        history_size_bytes=512,
        attempt=1,
        task_timeout_ms=10_000,
        namespace="default",
        task_queue="orders",
    )


def completed() -> WorkflowTaskCompleted:
    activity = ScheduleActivity(
        seq=1,
        activity_type="charge",
        task_queue="payments",
        input=[Payload(encoding="json/plain", data=b'{"order": "o-17", "cents": 4200}')],
        start_to_close_timeout_ms=10_000,
    )
    timer = StartTimer(seq=2, start_to_fire_timeout_ms=60_000)
    return WorkflowTaskCompleted(
        token=b"0123456789abcdef",
        commands=[
            Command(location="order.py:17", schedule_activity=activity),
            Command(location="order.py:18", start_timer=timer),
        ],
    )


def nanoseconds(action: Callable[[], object]) -> float:
    """The best of some rounds: the others were disturbed."""
    best = float("inf")
    for _ in range(ROUNDS):
        began = time.perf_counter_ns()
        for _ in range(TIMES):
            action()
        best = min(best, (time.perf_counter_ns() - began) / TIMES)
    return best


def main() -> None:
    for make in (activation, completed):
        made = make()
        data = made.encode()
        of = type(made)
        costs = {
            "make": nanoseconds(make),
            "make and encode": nanoseconds(lambda make=make: make().encode()),  # type: ignore[misc]
            "encode": nanoseconds(made.encode),
            "decode": nanoseconds(lambda of=of, data=data: of.decode(data)),  # type: ignore[misc]
        }
        words = ", ".join(f"{name} {cost:,.0f} ns" for name, cost in costs.items())
        print(f"{of.__name__} ({len(data)} bytes): {words}")


if __name__ == "__main__":
    main()
