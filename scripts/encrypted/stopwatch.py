"""CPU and wall seconds of the operations of a computation."""

import contextlib
import time
from collections.abc import Iterator


class Stopwatch:
    """Seconds by operation; those of an operation that is measured several times add up."""

    def __init__(self) -> None:
        self._seconds: dict[str, list[float]] = {}

    @contextlib.contextmanager
    def measured(self, operation: str) -> Iterator[None]:
        """Context whose seconds count for an operation."""
        cpu, wall = time.process_time(), time.perf_counter()
        yield
        total = self._seconds.setdefault(operation, [0.0, 0.0])
        total[0] += time.process_time() - cpu
        total[1] += time.perf_counter() - wall

    @property
    def rows(self) -> list[dict]:
        """Return operation, cpu_seconds and wall_seconds of every operation, in the order in which they first ended."""
        return [
            {"operation": operation, "cpu_seconds": cpu, "wall_seconds": wall}
            for operation, (cpu, wall) in self._seconds.items()
        ]
