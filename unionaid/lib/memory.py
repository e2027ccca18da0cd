"""Memory that is taken in bulk."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_collector() -> Iterator[None]:
    """Python does not look for cycles in this block: whoever makes a hundred thousand small objects that are in none would have all of
    them looked through again and again. What is dropped is freed as ever."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
