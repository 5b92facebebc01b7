"""How often each route is asked for, for those who run the service; in memory, and about no person.

A number is told only where at least twenty different callers are in it. Answers that mean that something
is wrong with the service (5xx) are told from the first on: they count its faults, not people.
"""

import threading
from dataclasses import dataclass, field
from typing import Final

# Clause 1.3.2(4)b: a statistic counts at least so many people.
PEOPLE: Final = 20


@dataclass(slots=True)
class _Line:
    count: int = 0
    milliseconds: int = 0
    people: set[str] | None = field(default_factory=set)  # none once there are enough


class Tally:
    """Counts requests.

    >>> tally = Tally()
    >>> for number in range(20):
    ...     tally.add("GET", "/v1/me", 200, 3, f"caller {number}")
    >>> tally.add("GET", "/v1/jobs", 200, 3, "caller 0")
    >>> tally.told()
    [('GET', '/v1/me', '2xx', 20, 60)]
    """

    def __init__(self) -> None:
        self._lines: dict[tuple[str, str, str], _Line] = {}
        self._lock = threading.Lock()

    def add(self, method: str, route: str, status: int, milliseconds: int, who: str) -> None:
        """Count a request.

        Parameters
        ----------
        method, route : str
            Of closed sets: a word of `logs.METHODS`, and the route's template.
        status, milliseconds : int
            How it ended, and how long it took.
        who : str
            Whoever asked: a pseudonym or a network. Kept only until there are twenty.
        """
        with self._lock:
            line = self._lines.setdefault((method, route, f"{status // 100}xx"), _Line())
            line.count += 1
            line.milliseconds += milliseconds
            if line.people is not None:
                line.people.add(who)
                if len(line.people) >= PEOPLE:
                    line.people = None

    def told(self) -> list[tuple[str, str, str, int, int]]:
        """Return what may be told: method, route, class of status, how often, milliseconds in all."""
        with self._lock:
            return sorted(
                (*key, line.count, line.milliseconds)
                for key, line in self._lines.items()
                if line.people is None or key[2] == "5xx"
            )
