"""Becomes another program that ends when its supervisor ends, however that happens.

Run as a file by `python -I -S`, so it may use the standard library only. Arguments: the supervisor's process id, the
signal to receive at its death, user id and group id to become (-1: stay), then the program and its arguments.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


def main() -> None:
    supervisor, death_signal, uid, gid = (int(argument) for argument in sys.argv[1:5])
    command = sys.argv[5:]
    if uid >= 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    if sys.platform == "linux":
        # After the change of user, which would clear it; execve keeps it.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
        if os.getppid() != supervisor:
            sys.exit("The supervisor ended before its child began.")
    # Python ignores these two at its start, and ignored signals would outlive execve.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    os.execv(command[0], command)  # noqa: S606  the program that its parent named


main()
