"""The behaviours that a program sees, in three modes: --mode cached|uncached|chaos, --seed N."""

from __future__ import annotations

import asyncio
import zlib

import pytest

from semantics.world import TEST_SECONDS_MAX, World

MODES = ("cached", "uncached", "chaos")


@pytest.fixture
def world(request: pytest.FixtureRequest, binary: None) -> World:
    """Begun with the test, on its event loop. @pytest.mark.world(…): options of its environment."""
    mode = request.config.getoption("--mode")
    mark = request.node.get_closest_marker("no_chaos")
    if mode == "chaos" and mark is not None:
        pytest.skip(f"not under chaos: {mark.args[0]}")
    seed = zlib.crc32(f"{request.config.getoption('--seed')} {request.node.name}".encode())
    options = request.node.get_closest_marker("world")
    return World(mode, seed, dict(options.kwargs) if options is not None else {})


def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """A test that has the world begins with it and ends with it."""
    world = pyfuncitem.funcargs.get("world")
    if not isinstance(world, World):
        return None
    names = pyfuncitem._fixtureinfo.argnames
    given = {name: pyfuncitem.funcargs[name] for name in names}

    async def run() -> None:
        async with world.begun():
            await asyncio.wait_for(pyfuncitem.obj(**given), TEST_SECONDS_MAX)

    asyncio.run(run())
    return True
