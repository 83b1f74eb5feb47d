"""A shopping cart: an entity that lives as long as its customer, and begins anew from time to time.

Updates change it and answer at once; when its history has become long, it continues as new with
what it holds.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta

from holdfast import workflow
from holdfast.client import Client, WithStartWorkflowOperation
from holdfast.common import WorkflowIDConflictPolicy
from holdfast.exceptions import ApplicationError
from holdfast.worker import Worker

TASK_QUEUE = "carts"
FORGOTTEN_AFTER = timedelta(days=30)


@dataclass
class Cart:
    items: dict[str, int] = field(default_factory=dict)


@workflow.defn
class ShoppingCart:
    @workflow.init
    def __init__(self, cart: Cart) -> None:
        self.cart = cart
        self.is_checked_out = False
        self.is_changed = False

    @workflow.run
    async def run(self, cart: Cart) -> Cart:
        while not self.is_checked_out:
            self.is_changed = False
            try:
                await workflow.wait_condition(
                    lambda: self.is_checked_out or self.is_changed,
                    timeout=FORGOTTEN_AFTER,
                )
            except asyncio.TimeoutError:
                self.cart = Cart()
            # A check-out that came in the same moment must not be forgotten. The handlers here end
            # at once; those that wait would have to be waited for before: all_handlers_finished.
            if workflow.info().is_continue_as_new_suggested() and not self.is_checked_out:
                workflow.continue_as_new(self.cart)
        return self.cart

    @workflow.update
    def add(self, item: str, count: int) -> dict[str, int]:
        self.cart.items[item] = self.cart.items.get(item, 0) + count
        self.is_changed = True
        return self.cart.items

    @add.validator
    def check_add(self, item: str, count: int) -> None:
        if count < 1:
            raise ApplicationError("a count is at least 1", type="InvalidCount")

    @workflow.signal
    def check_out(self) -> None:
        self.is_checked_out = True

    @workflow.query
    def contents(self) -> Cart:
        return self.cart


async def add(client: Client, customer: str, item: str, count: int) -> dict[str, int]:
    """Adds to the customer's cart, which is made if there is none."""
    start = WithStartWorkflowOperation(
        ShoppingCart.run,
        Cart(),
        id=f"cart-{customer}",
        task_queue=TASK_QUEUE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
    )
    result: dict[str, int] = await client.execute_update_with_start_workflow(
        ShoppingCart.add, args=[item, count], start_workflow_operation=start
    )
    return result


async def main() -> None:
    client = await Client.connect()
    async with Worker(client, task_queue=TASK_QUEUE, workflows=[ShoppingCart]):
        await add(client, "ada", "tea", 2)
        print(await add(client, "ada", "nuts", 1))
        handle = client.get_workflow_handle_for(ShoppingCart.run, "cart-ada")
        await handle.signal(ShoppingCart.check_out)
        print(await handle.result())


if __name__ == "__main__":
    asyncio.run(main())
