"""CPU and wall seconds of the operations of a computation."""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass
class Stopwatch:
    """Seconds by operation, in order: `rows` of operation, cpu_seconds, wall_seconds."""

    rows: list[dict] = field(default_factory=list)

    @contextlib.contextmanager
    def measured(self, operation: str) -> Iterator[None]:
        """Context whose seconds are recorded under the name of an operation."""
        cpu, wall = time.process_time(), time.perf_counter()
        yield
        row = {"cpu_seconds": time.process_time() - cpu, "wall_seconds": time.perf_counter() - wall}
        self.rows.append({"operation": operation} | row)
