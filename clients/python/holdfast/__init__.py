"""Holdfast for Python: durable workflows, activities, and a client for them.

`holdfast.workflow` and `holdfast.activity` define them, `holdfast.worker` runs them,
`holdfast.client` starts them, `holdfast.testing` tests them.
"""

__version__ = "0.1.0"
