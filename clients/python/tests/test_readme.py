"""The code of the pages: programs run, and the rest at least is Python and names what there is."""

from __future__ import annotations

import ast
import asyncio
import importlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from holdfast.testing import WorkflowEnvironment

HERE = Path(__file__).parents[1]
PAGES = {
    "project": HERE.parents[1] / "README.md",
    "README": HERE / "README.md",
    "client": HERE / "docs" / "client.md",
    "values": HERE / "docs" / "values.md",
}
BLOCKS = [
    pytest.param(block, id=f"{name}-{number}")
    for name, page in PAGES.items()
    for number, block in enumerate(
        re.findall(r"^```python\n(.*?)^```$", page.read_text(), re.DOTALL | re.MULTILINE), 1
    )
]
IS_PROGRAM = "asyncio.run(main())"
# What each of them prints.
OUTPUTS = {
    "README-1": "Hello, Ada!",
    "README-2": "",
    "client-1": """
['Ann']
2
charged card-1
1
RUNNING
CancelledError
o-1 COMPLETED
o-2 CANCELED
0
the bank is down
charged card-1
charged card-1
charged card-4
5
charged card-5
no worker for activity type 'charge' is attached to task queue 'nobody'
CancelledError
c-5 COMPLETED
c-6 CANCELED
""",
}


def compiled(block: str) -> ast.Module:
    made: ast.Module = compile(
        block, "page", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    )
    return made


@pytest.mark.parametrize("block", BLOCKS)
def test_what_a_block_imports_is_there(block: str) -> None:
    for node in ast.walk(compiled(block)):
        if isinstance(node, ast.ImportFrom):
            module = importlib.import_module(node.module or "")
            missing = [alias.name for alias in node.names if not hasattr(module, alias.name)]
            assert missing == []


@pytest.mark.parametrize("block", BLOCKS)
def test_what_a_block_defines_can_be_defined(block: str) -> None:
    tree = compiled(block)
    definitions = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    tree.body = [node for node in tree.body if isinstance(node, definitions)]
    # A module of its own, so that its type hints are found.
    name = "readme_block"
    module = sys.modules[name] = type(sys)(name)
    try:
        exec(compile(tree, "page", "exec"), module.__dict__)
    finally:
        del sys.modules[name]


def test_each_program_says_what_it_prints() -> None:
    programs = {block.id for block in BLOCKS if IS_PROGRAM in str(block.values[0])}
    # The project's worker serves until it is ended, and charges cards at a bank.
    assert programs == {"project-1", *OUTPUTS}


@pytest.mark.usefixtures("binary")
@pytest.mark.parametrize("name", OUTPUTS)
async def test_a_program_runs(name: str, tmp_path: Path) -> None:
    file = tmp_path / "program.py"
    file.write_text(next(str(block.values[0]) for block in BLOCKS if block.id == name))
    async with await WorkflowEnvironment.start_local() as env:
        assert env.client.socket_path is not None
        ended = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, str(file)],
            check=False,
            env={**os.environ, "HOLDFAST_SOCKET": env.client.socket_path},
            capture_output=True,
            text=True,
        )
    assert (ended.stdout.strip(), ended.stderr) == (OUTPUTS[name].strip(), "")
