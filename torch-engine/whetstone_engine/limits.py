"""A bound on what the process may take, so that an allocation fails, by name, before the system ends the
process with all that it holds."""

from __future__ import annotations

import contextlib
import resource


def limit_memory(most: int) -> None:
    """At most so many bytes of data from now on, 0 for no bound of ours. Systems that do not know the limit
    ignore it."""
    with contextlib.suppress(OSError, ValueError):
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        soft = hard if most == 0 else most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))
