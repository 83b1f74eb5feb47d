"""A workflow run in a worker's memory: its event loop, its code, what it waits for."""

# Each needs the other: what workflows may call comes first, whichever is asked for.
from .. import workflow as _workflow  # noqa: F401
