"""How much memory this process has."""

import sys
from pathlib import Path

MIB = 2**20


def resident_mib() -> float:
    """MiB of this process that are in memory now.

    Raises:
        SystemExit: the system does not say.
    """
    status = Path("/proc/self/status")
    if not status.exists():
        sys.exit("This benchmark reads the memory in use from /proc, which only Linux has.")
    for line in status.read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024 / MIB
    raise SystemExit("/proc/self/status names no resident memory.")
