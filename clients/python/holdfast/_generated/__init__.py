"""Made by generate.py."""
