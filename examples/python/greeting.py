"""The smallest workflow: one activity. Needs `holdfast serve`."""

import asyncio
from datetime import timedelta

from holdfast import activity, workflow
from holdfast.client import Client
from holdfast.worker import Worker


@activity.defn
async def greet(name: str) -> str:
    return f"Hello, {name}!"


@workflow.defn
class Greeting:
    @workflow.run
    async def run(self, name: str) -> str:
        return await workflow.execute_activity(
            greet, name, start_to_close_timeout=timedelta(seconds=10)
        )


async def main() -> None:
    client = await Client.connect()
    async with Worker(client, task_queue="greet", workflows=[Greeting], activities=[greet]):
        print(await client.execute_workflow(Greeting.run, "Ada", id="g-1", task_queue="greet"))


if __name__ == "__main__":
    asyncio.run(main())
