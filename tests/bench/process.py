"""What the kernel says about a process: CPU time, peak memory, who listens on a port; and the CPU time of a command.

Knows /proc and Linux clocks. Does not know what the processes are.
"""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path


def cpu_seconds(pid: int) -> float:
    """User and system time of all threads, those that ended too. The kernel's CPU clock of the process counts nanoseconds; /proc/PID/stat
    only 10 ms ticks, too coarse for a query."""
    try:
        return time.clock_gettime((~pid << 3) | 2)  # clock_getcpuclockid(3): CPUCLOCK_SCHED of a whole process
    except OSError:
        return sum(user_and_system(pid))


def user_and_system(pid: int) -> tuple[float, float]:
    """Both parts, in ticks of the kernel."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    tick = os.sysconf("SC_CLK_TCK")
    return int(fields[11]) / tick, int(fields[12]) / tick


def peak_bytes(pid: int) -> int:
    """The most memory that was resident at once (VmHWM)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise OSError(f"/proc/{pid}/status has no VmHWM")


def disk_bytes(directory: Path) -> int:
    """The sizes of all files below a directory. A file that goes away meanwhile does not count."""
    total = 0
    for folder, _, names in os.walk(directory):
        for name in names:
            try:
                total += os.lstat(os.path.join(folder, name)).st_size
            except FileNotFoundError:
                continue
    return total


def listener(port: int) -> int | None:
    """The process on this machine that listens on a TCP port, if it may be seen."""
    sockets = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        if os.path.exists(table):
            sockets |= listening(Path(table).read_text(), port)
    wanted = {f"socket:[{inode}]" for inode in sockets}
    for entry in os.listdir("/proc") if wanted else []:
        if entry.isdigit() and wanted & _open_files(entry):
            return int(entry)
    return None


def listening(table: str, port: int) -> set[str]:
    """The inodes of the sockets that listen on a port, from the text of /proc/net/tcp."""
    rows = [line.split() for line in table.splitlines()[1:]]
    return {row[9] for row in rows if row[3] == "0A" and int(row[1].rsplit(":", 1)[1], 16) == port}


def _open_files(pid: str) -> set[str]:
    links = set()
    try:
        for number in os.listdir(f"/proc/{pid}/fd"):
            links.add(os.readlink(f"/proc/{pid}/fd/{number}"))
    except OSError:
        pass
    return links


def run_timed(command: list[str], good: tuple[int, ...] = (0,)) -> tuple[float, str]:
    """CPU seconds (user and system) and standard output of a command that ends with one of the `good` codes."""
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    with child:
        output = child.stdout.read() if child.stdout else ""
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode not in good:
        raise subprocess.CalledProcessError(child.returncode, command)
    return usage.ru_utime + usage.ru_stime, output
