"""A module that workflows use: of the same program, so what it has taken is guarded too."""

from datetime import datetime
from random import randint
from time import monotonic
from uuid import uuid4


def stamp() -> datetime:
    return datetime.now()


def since() -> float:
    return monotonic()


def identifier() -> str:
    return str(uuid4())


def dice() -> int:
    return randint(1, 6)
