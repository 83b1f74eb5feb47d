"""A workflow run in a worker's memory: its event loop, its code, what it waits for."""

# First, whichever of the modules here is asked for: it and they need each other.
from .. import workflow as _workflow  # noqa: F401
