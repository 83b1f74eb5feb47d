"""A thousand activities at once, and their sum."""

from __future__ import annotations

import asyncio
import sys
import uuid
from datetime import timedelta

from holdfast import activity, workflow
from holdfast.client import Client
from holdfast.worker import Worker

TASK_QUEUE = "fan-out"


@activity.defn
async def square(number: int) -> int:
    return number * number


@workflow.defn
class SumOfSquares:
    @workflow.run
    async def run(self, count: int) -> int:
        squares = await asyncio.gather(
            *(
                workflow.execute_activity(
                    square, number, start_to_close_timeout=timedelta(seconds=30)
                )
                for number in range(count)
            )
        )
        return sum(squares)


async def main(count: int) -> None:
    client = await Client.connect()
    async with Worker(client, task_queue=TASK_QUEUE, workflows=[SumOfSquares], activities=[square]):
        result = await client.execute_workflow(
            SumOfSquares.run, count, id=f"sum-{uuid.uuid4()}", task_queue=TASK_QUEUE
        )
        print(f"the sum of the first {count} squares: {result}")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000))
