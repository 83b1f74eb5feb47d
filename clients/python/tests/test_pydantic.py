"""Models of pydantic as values, by the default converter and by that of contrib."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest
from conftest import Engine
from pydantic import BaseModel, ValidationError

from holdfast import activity, workflow
from holdfast.client import Client
from holdfast.contrib.pydantic import pydantic_data_converter
from holdfast.converter import DataConverter
from holdfast.worker import Worker

CONVERTERS = (DataConverter.default, pydantic_data_converter)
QUEUE = "pydantic"


class Line(BaseModel):
    sku: str
    price: Decimal


class Order(BaseModel):
    id: str
    at: datetime
    lines: list[Line]


ORDER = Order(
    id="o-1",
    at=datetime(2026, 3, 29, 2, 30, tzinfo=timezone.utc),
    lines=[Line(sku="tea", price=Decimal("4.20"))],
)


@activity.defn
async def total(order: Order) -> Decimal:
    return sum((line.price for line in order.lines), Decimal(0))


@workflow.defn
class Pricing:
    @workflow.run
    async def run(self, order: Order) -> Order:
        limit = timedelta(seconds=20)
        price = await workflow.execute_activity(total, order, start_to_close_timeout=limit)
        return order.model_copy(update={"lines": [Line(sku="all", price=price)]})


@pytest.mark.parametrize("converter", CONVERTERS)
async def test_models_travel(converter: DataConverter) -> None:
    payloads = await converter.encode([ORDER])
    assert await converter.decode(payloads, [Order]) == [ORDER]
    with pytest.raises(ValidationError, match="price"):
        await converter.decode(await converter.encode([{"sku": "x", "price": "?"}]), [Line])


async def test_hints_of_other_values_are_checked() -> None:
    converter = pydantic_data_converter
    payloads = await converter.encode([{"a": timedelta(seconds=90)}, None, b"\0", [1, 2]])
    hints: list[type] = [dict[str, timedelta], type(None), bytes, tuple[int, int]]
    decoded = await converter.decode(payloads, hints)
    assert decoded == [{"a": timedelta(seconds=90)}, None, b"\0", (1, 2)]
    with pytest.raises(ValidationError):
        await converter.decode(await converter.encode([["one"]]), [list[int]])


async def test_a_workflow_takes_and_gives_models(engine: Engine) -> None:
    client = await Client.connect(engine.socket, data_converter=pydantic_data_converter)
    async with client, Worker(client, task_queue=QUEUE, workflows=[Pricing], activities=[total]):
        result = await client.execute_workflow(Pricing.run, ORDER, id="p", task_queue=QUEUE)
        assert result == ORDER.model_copy(
            update={"lines": [Line(sku="all", price=Decimal("4.20"))]}
        )
