"""Confining the running process before it touches an untrusted file. Linux; elsewhere only resource limits.

Everything that the process needs must be imported and open before: afterwards it can open no file, make no
connection, start no program and signal nobody else.
"""

import ctypes
import os
import platform
import pwd
import resource
import signal
import struct
import sys

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_SECCOMP = 22
_PR_SET_NO_NEW_PRIVS = 38
_CLONE_NEWNET = 0x40000000
_CLONE_NEWUSER = 0x10000000
_CLONE_THREAD = 0x00010000
_SECCOMP_MODE_FILTER = 2

OPEN_FILES = 16


def limit_resources(memory_bytes: int, cpu_seconds: int) -> None:
    """Address space, processor time, no file writing, no core dumps, few descriptors."""
    for what, most in (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
    ):
        _set_limit(what, most, most)
    # The soft limit sends SIGXCPU, which ends the process and tells the parent why; the hard one kills.
    _set_limit(resource.RLIMIT_CPU, cpu_seconds, cpu_seconds + 2)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)


def _set_limit(what: int, soft: int, hard: int) -> None:
    """Never above what the process already has: an ordinary user may not raise it."""
    present = resource.getrlimit(what)[1]
    if present != resource.RLIM_INFINITY:
        soft, hard = min(soft, present), min(hard, present)
    resource.setrlimit(what, (soft, hard))


def drop_privileges() -> list[str]:
    """Give up everything that can be given up; returns the names of what holds now."""
    if sys.platform != "linux":
        return []
    libc = ctypes.CDLL(None, use_errno=True)
    held = []
    is_root = os.geteuid() == 0
    # Without root a network namespace needs a user namespace, which many machines forbid; seccomp stands behind.
    if libc.unshare(_CLONE_NEWNET if is_root else _CLONE_NEWNET | _CLONE_NEWUSER) == 0:
        held.append("no-network")
    if is_root and _become_nobody():
        held.append("unprivileged-user")
    # setuid clears the death signal, so it is set after. The parent may have died in between: checked by the
    # first read on the socket, which then ends.
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0:
        held.append("no-new-privileges")
        if _filter_system_calls(libc):
            held.append("system-call-filter")
    return held


def _become_nobody() -> bool:
    """False in a container whose user namespace has no such user."""
    try:
        entry = pwd.getpwnam("nobody")
        uid, gid = entry.pw_uid, entry.pw_gid
    except KeyError:
        uid, gid = 65534, 65534
    try:
        os.setgroups([])
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)
    except OSError:
        return False
    return True


# What decoding never needs. A list of what is forbidden, not of what is allowed: it holds with whatever C
# library and Python the machine has. Numbers: x86-64 and AArch64 (asm/unistd.h); None where there is none.
_FORBIDDEN = {
    "open": (2, None), "openat": (257, 56), "openat2": (437, 437), "creat": (85, None),
    "open_by_handle_at": (304, 265), "socket": (41, 198), "socketpair": (53, 199), "connect": (42, 203),
    "bind": (49, 200), "listen": (50, 201), "accept": (43, 202), "accept4": (288, 242),
    "execve": (59, 221), "execveat": (322, 281), "fork": (57, None), "vfork": (58, None),
    "ptrace": (101, 117), "kill": (62, 129), "tkill": (200, 130), "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "pidfd_open": (434, 434), "pidfd_getfd": (438, 438), "pidfd_send_signal": (424, 424),
    "mount": (165, 40), "umount2": (166, 39), "chroot": (161, 51), "pivot_root": (155, 41),
    "unshare": (272, 97), "setns": (308, 268), "bpf": (321, 280), "perf_event_open": (298, 241),
    "keyctl": (250, 219), "add_key": (248, 217), "request_key": (249, 218), "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425), "unlink": (87, None), "unlinkat": (263, 35), "rmdir": (84, None),
    "rename": (82, None), "renameat": (264, 38), "renameat2": (316, 276), "mkdir": (83, None),
    "mkdirat": (258, 34), "link": (86, None), "linkat": (265, 37), "symlink": (88, None),
    "symlinkat": (266, 36), "chmod": (90, None), "fchmodat": (268, 53), "chown": (92, None),
    "lchown": (94, None), "fchownat": (260, 54), "truncate": (76, 45), "prlimit64": (302, 261),
    "setrlimit": (160, 164), "shmget": (29, 194), "memfd_create": (319, 279), "mknodat": (259, 33),
}  # fmt: skip
_CLONE, _CLONE3, _TGKILL = (56, 220), (435, 435), (234, 131)
_ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_EPERM, _ENOSYS = 1, 38
_NUMBER, _ARCH, _ARG0 = 0, 4, 16  # offsets in struct seccomp_data, little-endian low halves


def _filter_system_calls(libc: ctypes.CDLL) -> bool:
    """Install a seccomp filter (seccomp(2)); False where the machine's kind is unknown or refuses."""
    if platform.machine() not in _ARCHITECTURES:
        return False
    column, audit_arch = _ARCHITECTURES[platform.machine()]
    program = _program(column, audit_arch, os.getpid())
    code = b"".join(struct.pack("=HBBI", *instruction) for instruction in program)
    buffer = ctypes.create_string_buffer(code, len(code))

    class Program(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]

    holder = Program(len(program), ctypes.addressof(buffer))
    return libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(holder), 0, 0) == 0


def _program(column: int, audit_arch: int, pid: int) -> list[tuple[int, int, int, int]]:
    """BPF instructions (code, jump if true, jump if false, value)."""
    refuse = (_RETURN, 0, 0, _ERRNO | _EPERM)
    program = [
        (_LOAD, 0, 0, _ARCH),
        (_EQUAL, 1, 0, audit_arch),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
        (_AT_LEAST, 0, 1, 0x40000000),  # the x32 numbers would be a second way to everything
        refuse,
        # glibc falls back from clone3, whose flags a filter cannot see, to clone; only threads are let through.
        (_EQUAL, 0, 1, _CLONE3[column]),
        (_RETURN, 0, 0, _ERRNO | _ENOSYS),
        (_EQUAL, 0, 4, _CLONE[column]),
        (_LOAD, 0, 0, _ARG0),
        (_ANY_BIT, 1, 0, _CLONE_THREAD),
        refuse,
        (_RETURN, 0, 0, _ALLOW),
        # abort() signals the process itself.
        (_EQUAL, 0, 4, _TGKILL[column]),
        (_LOAD, 0, 0, _ARG0),
        (_EQUAL, 1, 0, pid),
        refuse,
        (_RETURN, 0, 0, _ALLOW),
    ]
    for numbers in _FORBIDDEN.values():
        number = numbers[column]
        if number is not None:
            program += [(_EQUAL, 0, 1, number), refuse]
    program.append((_RETURN, 0, 0, _ALLOW))
    return program
