import resource
import signal
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="confinement is Linux's")

PREPARE = """
import ctypes, os, socket, subprocess, sys, threading
from bluelamp.media import confine
spare = open("/dev/null")
confine.limit_resources(2**40, 30)
print(confine.drop_privileges(), flush=True)
"""


def confined(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PREPARE + code], capture_output=True, text=True, timeout=30, check=False
    )


@pytest.mark.parametrize(
    "attempt",
    [
        "open('/etc/hostname')",
        "open('/tmp/bluelamp-confined', 'w')",
        "os.listdir('/')",
        "os.unlink('/tmp/nothing-here')",
        "os.mkdir('/tmp/bluelamp-confined')",
        "socket.socket()",
        "socket.socket(socket.AF_UNIX)",
        "socket.socketpair()",
        "os.fork()",
        "os.execv('/bin/true', ['true'])",
        "subprocess.run(['/bin/true'])",
        "os.kill(os.getppid(), 0)",
        "os.posix_spawn('/bin/true', ['true'], {})",
        "os.symlink('/etc/passwd', '/tmp/bluelamp-confined')",
        "os.memfd_create('x')",
        "os.chmod('/tmp', 0o777)",
    ],
)
def test_a_confined_process_is_refused(attempt: str) -> None:
    result = confined(f"""
try:
    {attempt}
except PermissionError:
    os._exit(42)
os._exit(0)
""")
    assert result.returncode == 42, result.stdout + result.stderr


def test_a_confined_process_cannot_trace_others_or_raise_its_limits() -> None:
    result = confined("""
libc = ctypes.CDLL(None, use_errno=True)
print(libc.ptrace(16, os.getppid(), 0, 0), libc.prlimit(os.getppid(), 7, None, None))
""")
    assert result.stdout.splitlines()[-1] == "-1 -1"


def test_a_confined_process_can_still_run_threads_and_abort_itself() -> None:
    result = confined("""
done = []
thread = threading.Thread(target=lambda: done.append(1)); thread.start(); thread.join()
print(done, flush=True)
os.abort()
""")
    assert "[1]" in result.stdout
    assert result.returncode == -signal.SIGABRT


def test_the_memory_limit_really_holds() -> None:
    code = """
from bluelamp.media import confine
confine.limit_resources(600 * 1024**2, 30)
try:
    block = bytearray(700 * 1024**2)
except MemoryError:
    print("refused")
import numpy
try:
    numpy.ones(100 * 1024**2)
except MemoryError:
    print("refused")
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.stdout.split() == ["refused", "refused"], result.stderr


def test_processor_time_runs_out_with_a_signal_that_tells_why() -> None:
    code = "from bluelamp.media import confine\nconfine.limit_resources(2**40, 1)\nwhile True: pass"
    result = subprocess.run([sys.executable, "-c", code], check=False, timeout=60)
    assert result.returncode == -signal.SIGXCPU


def test_files_cannot_be_written_even_through_an_open_descriptor(tmp_path) -> None:
    target = tmp_path / "out"
    code = f"""
import os
from bluelamp.media import confine
file = os.open({str(target)!r}, os.O_CREAT | os.O_WRONLY)
confine.limit_resources(2**40, 30)
try:
    os.write(file, b"x")
except OSError as error:
    print(error.errno)
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.stdout.strip() == "27"
    assert target.read_bytes() == b""


def test_limits_are_never_raised_above_what_the_process_has() -> None:
    code = """
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (8, 8))
from bluelamp.media import confine
confine.limit_resources(2**40, 30)
print(resource.getrlimit(resource.RLIMIT_NOFILE))
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.stdout.strip() == "(8, 8)", result.stderr
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] > 8
