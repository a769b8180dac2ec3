"""Ends every process tree of a supervisor that died without stopping them. Standard library only; run as a script.

The supervisor writes `+<group>` and `-<group>` lines to our standard input. When that closes, it has ended: groups
still on the list are asked to end, and killed after the grace our argument gives, in seconds.
"""

import os
import signal
import sys
import time


def signal_groups(groups: set[int], number: int) -> set[int]:
    """Signal each process group (0 only asks); returns those that still have members."""
    alive = set()
    for group in groups:
        try:
            os.killpg(group, number)
        except (ProcessLookupError, PermissionError):
            continue
        alive.add(group)
    return alive


def main(grace_seconds: float) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups: set[int] = set()
    for line in sys.stdin:
        sign, group = line[0], int(line[1:])
        if sign == "+":
            groups.add(group)
        else:
            groups.discard(group)
    groups = signal_groups(groups, signal.SIGTERM)
    deadline = time.monotonic() + grace_seconds
    while groups and time.monotonic() < deadline:
        time.sleep(0.2)
        groups = signal_groups(groups, 0)
    signal_groups(groups, signal.SIGKILL)


if __name__ == "__main__":
    main(float(sys.argv[1]))
