"""An agent: a model is asked what to do next until it is done, and a person approves what matters.

Each call of the model and of a tool is an activity, so that an agent that is interrupted goes on
where it was, and asks for nothing twice. The model here is a function of this file; put the call of
a real one in its place.
"""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass, field
from datetime import timedelta

from holdfast import activity, workflow
from holdfast.client import Client
from holdfast.common import RetryPolicy
from holdfast.exceptions import ApplicationError
from holdfast.worker import Worker

TASK_QUEUE = "agents"
STEPS_MAX = 20


@dataclass
class Message:
    role: str
    text: str


@dataclass
class Decision:
    """What the model wants: a tool with its argument, or an answer."""

    tool: str = ""
    argument: str = ""
    answer: str = ""


@dataclass
class Conversation:
    goal: str
    messages: list[Message] = field(default_factory=list)


@activity.defn
async def ask_model(conversation: Conversation) -> Decision:
    """Stands for a model: looks the order up, refunds it, and says so."""
    seen = [message.text for message in conversation.messages if message.role == "tool"]
    match len(seen):
        case 0:
            return Decision(tool="look_up", argument="o-17")
        case 1 if "late" in seen[0]:
            return Decision(tool="refund", argument="o-17")
        case _:
            return Decision(answer=f"{conversation.goal}: {seen[-1]}")


@activity.defn
async def look_up(order: str) -> str:
    return f"{order} is late by 9 days, 42.00 EUR"


@activity.defn
async def refund(order: str) -> str:
    # A real one gives this key to the bank: each attempt of this refund has the same one.
    key = activity.info().idempotency_key
    return f"{order} refunded ({len(key) > 0})"


TOOLS = {"look_up": look_up, "refund": refund}
NEED_APPROVAL = {"refund"}


@workflow.defn
class Agent:
    def __init__(self) -> None:
        self.conversation = Conversation("")
        self.waiting_for: Decision | None = None
        self.approved: bool | None = None

    @workflow.run
    async def run(self, goal: str) -> str:
        self.conversation.goal = goal
        for _ in range(STEPS_MAX):
            decision = await workflow.execute_activity(
                ask_model,
                self.conversation,
                start_to_close_timeout=timedelta(minutes=2),
                retry_policy=RetryPolicy(maximum_interval=timedelta(seconds=30)),
                summary=f"step {len(self.conversation.messages) + 1}",
            )
            if decision.answer:
                return decision.answer
            self.conversation.messages.append(Message("tool", await self.use(decision)))
        raise ApplicationError(f"no answer after {STEPS_MAX} steps", type="TooManySteps")

    async def use(self, decision: Decision) -> str:
        if decision.tool in NEED_APPROVAL and not await self.is_approved(decision):
            return f"{decision.tool} was not approved"
        return await workflow.execute_activity(
            TOOLS[decision.tool], decision.argument, start_to_close_timeout=timedelta(minutes=1)
        )

    async def is_approved(self, decision: Decision) -> bool:
        self.waiting_for, self.approved = decision, None
        workflow.set_current_details(f"wants to {decision.tool} {decision.argument}")
        await workflow.wait_condition(lambda: self.approved is not None)
        self.waiting_for = None
        return bool(self.approved)

    @workflow.update
    def decide(self, approve: bool) -> str:
        self.approved = approve
        assert self.waiting_for is not None
        return self.waiting_for.tool

    @decide.validator
    def check_decide(self, approve: bool) -> None:
        if self.waiting_for is None or self.approved is not None:
            raise ApplicationError("there is nothing to approve now", type="NothingToApprove")

    @workflow.query
    def pending(self) -> Decision | None:
        return self.waiting_for


async def main() -> None:
    client = await Client.connect()
    activities = [ask_model, look_up, refund]
    async with Worker(client, task_queue=TASK_QUEUE, workflows=[Agent], activities=activities):
        handle = await client.start_workflow(
            Agent.run, "settle the complaint", id=f"agent-{uuid.uuid4()}", task_queue=TASK_QUEUE
        )
        while (wanted := await handle.query(Agent.pending)) is None:
            await asyncio.sleep(0.05)
        answer = await asyncio.to_thread(input, f"{wanted.tool} {wanted.argument}? [y/n] ")
        await handle.execute_update(Agent.decide, answer.startswith("y"))
        print(await handle.result())


if __name__ == "__main__":
    asyncio.run(main())
