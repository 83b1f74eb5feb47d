"""The messages and methods of the protocol: made by generate_messages.py, do not edit."""
