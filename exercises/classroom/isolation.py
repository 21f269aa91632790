"""What the operating system can forbid a student's process: Linux's namespaces, Landlock, seccomp, and limits.

Each means works by itself, so that one which a system does not have (or a container does not allow) leaves the others.
:func:`enclose` says which ones hold; nothing here raises for one that does not.
"""

import contextlib
import ctypes
import os
import platform
import struct
import sys
from dataclasses import dataclass
from pathlib import Path

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC = 0x00020000, 0x04000000, 0x08000000
CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x10000000, 0x20000000, 0x40000000
CLONE_THREAD = 0x00010000

_MS_RDONLY, _MS_NOSUID, _MS_NODEV, _MS_REC, _MS_PRIVATE = 1, 2, 4, 0x4000, 0x40000
_MOUNT_SETATTR, _AT_FDCWD, _AT_RECURSIVE = 442, -100, 0x8000
_PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _PR_CAPBSET_DROP, _PR_SET_PDEATHSIG = 4, 38, 22, 24, 1
_LANDLOCK_CREATE, _LANDLOCK_ADD, _LANDLOCK_RESTRICT = 444, 445, 446


@dataclass(frozen=True)
class Limits:
    """What one answer may use.

    Parameters
    ----------
    seconds : float
        Of computing in one call (waiting counts half).
    memory : int
        Bytes of address space of the process.
    disk : int
        Bytes in the scratch folder (a file, where the system cannot limit a folder).
    """

    seconds: float = 10.0
    memory: int = 4 * 2**30
    disk: int = 64 * 2**20


def namespaces(scratch: Path) -> list[str]:
    """Move this process into namespaces of its own, its children into new process numbers; say what was reached.

    The network is gone, other processes are out of sight, and nothing can be written outside of `scratch`.
    """
    libc = _libc()
    if libc is None or not hasattr(libc, "unshare"):
        return []
    uid, gid = os.geteuid(), os.getegid()
    everything = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS
    if libc.unshare(everything) != 0:
        return ["network"] if libc.unshare(CLONE_NEWNET) == 0 else []
    reached = ["network", "processes"]
    with contextlib.suppress(OSError):
        Path("/proc/self/setgroups").write_text("deny")
    with contextlib.suppress(OSError):
        Path("/proc/self/uid_map").write_text(f"0 {uid} 1")
        Path("/proc/self/gid_map").write_text(f"0 {gid} 1")
        if _mounts(libc, scratch):
            reached.append("files")
    return reached


def _mounts(libc: ctypes.CDLL, scratch: Path) -> bool:
    """Everything read-only, but a folder in memory at `scratch`."""
    if libc.mount(b"none", b"/", None, _MS_REC | _MS_PRIVATE, None) != 0:
        return False
    read_only = struct.pack("QQQQ", 1, 0, 0, 0)
    if libc.syscall(_MOUNT_SETATTR, _AT_FDCWD, b"/", _AT_RECURSIVE, read_only, len(read_only)) != 0:
        return False
    size = f"size={Limits.disk},nr_inodes=4096,mode=0700".encode()
    return libc.mount(b"tmpfs", os.fsencode(scratch), b"tmpfs", _MS_NOSUID | _MS_NODEV, size) == 0


def hide(folder: Path) -> bool:
    """Put an empty folder in the place of `folder`, for this process and its children."""
    libc = _libc()
    flags = _MS_RDONLY | _MS_NOSUID | _MS_NODEV
    return libc is not None and libc.mount(b"tmpfs", os.fsencode(folder), b"tmpfs", flags, b"size=4k") == 0


def own_proc() -> None:
    """Show in /proc the processes of this namespace only (for the first process in it)."""
    if libc := _libc():
        libc.mount(b"proc", b"/proc", b"proc", _MS_NOSUID | _MS_NODEV, None)


def enclose(scratch: Path, readable: list[Path], limits: Limits, reached: list[str]) -> list[str]:
    """Give up, in this process, whatever a student's answer does not need; say which of it is certain.

    The words are "network", "files" (nothing written outside of `scratch`), "reading" (nothing read but Python, the
    course's library and the system's), "processes" (no new ones, no signals to others) and "memory".
    """
    held = set(reached) | _rlimits(limits)
    libc = _libc()
    if libc is not None and sys.platform == "linux":
        libc.prctl(_PR_SET_PDEATHSIG, 9, 0, 0, 0)
        for capability in range(64):
            libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)
        _drop_capabilities(libc)
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        if _landlock(libc, scratch, readable):
            held |= {"files", "reading"}
        if _seccomp(libc):
            held |= {"network", "processes"}
    return sorted(held)


def _rlimits(limits: Limits) -> set[str]:
    try:
        import resource
    except ModuleNotFoundError:
        return set()
    held = set()
    for name, value in (
        ("RLIMIT_CORE", 0),
        ("RLIMIT_FSIZE", limits.disk),
        ("RLIMIT_NOFILE", 64),
        ("RLIMIT_CPU", int(4 * limits.seconds) + 5),
        ("RLIMIT_AS", limits.memory),
    ):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            resource.setrlimit(getattr(resource, name), (value, value))
            held |= {"memory"} if name == "RLIMIT_AS" and sys.platform == "linux" else set()
    return held


def _drop_capabilities(libc: ctypes.CDLL) -> None:
    header = struct.pack("Ii", 0x20080522, 0)
    libc.capset(header, bytes(24))


# Landlock: which folders may be read, and which written

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8


def _landlock(libc: ctypes.CDLL, scratch: Path, readable: list[Path]) -> bool:
    version = libc.syscall(_LANDLOCK_CREATE, None, 0, 1)
    if version < 1:
        return False
    every = (1 << 13) - 1
    if version >= 2:
        every |= 1 << 13  # linking and renaming between folders
    if version >= 3:
        every |= 1 << 14  # truncating
    attribute = struct.pack("Q", every)
    rules = libc.syscall(_LANDLOCK_CREATE, attribute, len(attribute), 0)
    if rules < 0:
        return False
    try:
        for folder in readable:
            _allow(libc, rules, folder, _EXECUTE | _READ_FILE | _READ_DIR)
        for device in ("/dev/null", "/dev/zero", "/dev/urandom", "/dev/random"):
            _allow(libc, rules, Path(device), _READ_FILE | _WRITE_FILE)
        _allow(libc, rules, scratch, every)
        return libc.syscall(_LANDLOCK_RESTRICT, rules, 0) == 0
    finally:
        os.close(rules)


def _allow(libc: ctypes.CDLL, rules: int, path: Path, rights: int) -> None:
    try:
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not os.path.isdir(path):
            rights &= _EXECUTE | _WRITE_FILE | _READ_FILE
        libc.syscall(_LANDLOCK_ADD, rules, 1, struct.pack("=Qi", rights, handle), 0)
    finally:
        os.close(handle)


# seccomp: which calls of the system are refused

_ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_REFUSED = {
    # name: (x86_64, aarch64)
    "fork": (57, None),
    "vfork": (58, None),
    "execve": (59, 221),
    "execveat": (322, 281),
    "kill": (62, 129),
    "tkill": (200, 130),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "pidfd_open": (434, 434),
    "pidfd_send_signal": (424, 424),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "socket": (41, 198),
    "socketpair": (53, 199),
    "connect": (42, 203),
    "bind": (49, 200),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "unshare": (272, 97),
    "setns": (308, 268),
    "keyctl": (250, 219),
    "add_key": (248, 217),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "setpriority": (141, 140),
    "shmget": (29, 194),
    "memfd_create": (319, 279),
}
_CLONE, _CLONE3, _TGKILL = (56, 220), (435, 435), (234, 131)
_PERMISSION_DENIED, _NOT_THERE = 0x00050000 | 1, 0x00050000 | 38
_ALLOWED = 0x7FFF0000


def _seccomp(libc: ctypes.CDLL) -> bool:
    """Refuse new processes (threads are allowed), signals to others, sockets, and what could undo the rest."""
    column = {"x86_64": 0, "aarch64": 1}.get(platform.machine())
    if column is None or sys.byteorder != "little":
        return False
    program = _filter(column)
    lines = len(program) // 8
    code = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("HxxxxxxP", lines, ctypes.addressof(code))
    return libc.prctl(_PR_SET_SECCOMP, 2, ctypes.c_char_p(header), 0, 0) == 0


def _filter(column: int) -> bytes:
    """The program of the filter, in the machine language of BPF."""
    load, equal, set_bits, leave = 0x20, 0x15, 0x45, 0x06
    number, architecture, arguments = 0, 4, 16

    def line(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
        return struct.pack("HBBI", code, if_true, if_false, value)

    lines = [
        line(load, architecture),
        line(equal, _ARCHITECTURES[("x86_64", "aarch64")[column]], 1, 0),
        line(leave, _PERMISSION_DENIED),
        line(load, number),
    ]
    if column == 0:  # the 32-bit table of numbers on x86_64
        lines += [line(set_bits, 0x40000000, 0, 1), line(leave, _PERMISSION_DENIED)]
    for numbers in _REFUSED.values():
        if numbers[column] is not None:
            lines += [line(equal, numbers[column], 0, 1), line(leave, _PERMISSION_DENIED)]
    lines += [line(equal, _CLONE3[column], 0, 1), line(leave, _NOT_THERE)]
    lines += [
        line(equal, _CLONE[column], 0, 4),
        line(load, arguments),
        line(set_bits, CLONE_THREAD, 1, 0),
        line(leave, _PERMISSION_DENIED),
        line(leave, _ALLOWED),
    ]
    lines += [
        line(equal, _TGKILL[column], 0, 4),
        line(load, arguments),
        line(equal, os.getpid(), 1, 0),
        line(leave, _PERMISSION_DENIED),
        line(leave, _ALLOWED),
    ]
    return b"".join([*lines, line(leave, _ALLOWED)])


def undumpable() -> None:
    """Let no process of the same user look into this one."""
    if libc := _libc():
        libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def _libc() -> ctypes.CDLL | None:
    if sys.platform != "linux":
        return None
    return ctypes.CDLL(None, use_errno=True)
