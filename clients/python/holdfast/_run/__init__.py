"""A workflow run in a worker's memory: its event loop, its code, what it waits for."""
