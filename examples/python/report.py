"""A report each working day at 7:00 in Berlin, by a schedule."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta

from holdfast import activity, workflow
from holdfast.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
)
from holdfast.worker import Worker

TASK_QUEUE = "reports"
ID = "report"


@activity.defn
async def collect(day: date) -> dict[str, int]:
    return {"orders": 300, "refunds": day.day}


@activity.defn
async def send(text: str) -> None:
    print(text)


@workflow.defn
class DailyReport:
    @workflow.run
    async def run(self) -> str:
        day = day_of(workflow.info().workflow_id)
        figures = await workflow.execute_activity(
            collect, day, start_to_close_timeout=timedelta(minutes=10)
        )
        text = f"{day}: " + ", ".join(f"{count} {name}" for name, count in figures.items())
        await workflow.execute_activity(send, text, start_to_close_timeout=timedelta(minutes=1))
        return text


def day_of(workflow_id: str) -> date:
    """The day that the schedule meant, however late the report is: the schedule writes the time
    of each action, in UTC, behind the id, as in report-2026-01-30T06:00:00Z."""
    return date.fromisoformat(workflow_id.removeprefix(f"{ID}-")[:10])


def schedule() -> Schedule:
    return Schedule(
        action=ScheduleActionStartWorkflow(DailyReport.run, id=ID, task_queue=TASK_QUEUE),
        spec=ScheduleSpec(cron_expressions=["0 7 * * MON-FRI"], time_zone_name="Europe/Berlin"),
        policy=SchedulePolicy(
            overlap=ScheduleOverlapPolicy.BUFFER_ONE, catchup_window=timedelta(hours=6)
        ),
    )


async def main() -> None:
    client = await Client.connect()
    try:
        await client.create_schedule("daily-report", schedule())
    except ScheduleAlreadyRunningError:
        print("the schedule is there already")
    worker = Worker(
        client, task_queue=TASK_QUEUE, workflows=[DailyReport], activities=[collect, send]
    )
    await worker.run()


if __name__ == "__main__":
    asyncio.run(main())
