"""What a worker does with the tasks that libholdfast brings it, on an asyncio loop."""
