"""Runs the command in a process, and in processes of that one, which end at once when they want a socket.

Python's own sockets are refused by an audit hook, which says where; what compiled libraries open, by the kernel.
"""

from __future__ import annotations

import os
from pathlib import Path

HOOK = '''
import ctypes, os, platform, sys, traceback

REFUSED = 99

def refuse(event, arguments):
    if event.startswith("socket.") and event != "socket.gethostname":
        os.write(2, f"a socket was wanted: {event} {arguments}\\n{''.join(traceback.format_stack())}".encode())
        os._exit(REFUSED)

class Filter(ctypes.Structure):
    _fields_ = [("code", ctypes.c_ushort), ("true", ctypes.c_ubyte), ("false", ctypes.c_ubyte), ("k", ctypes.c_uint)]

class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filters", ctypes.POINTER(Filter))]

def forbid_in_the_kernel():
    """A seccomp filter (Linux, Documentation/userspace-api/seccomp_filter.rst): socket(2) ends the process."""
    architecture, number = {"x86_64": (0xC000003E, 41), "aarch64": (0xC00000B7, 198)}[platform.machine()]
    load, equal, give = 0x20, 0x15, 0x06
    steps = [(load, 0, 0, 4), (equal, 0, 3, architecture), (load, 0, 0, 0), (equal, 0, 1, number), (give, 0, 0, 0x80000000),
             (give, 0, 0, 0x7FFF0000)]
    filters = (Filter * len(steps))(*(Filter(*step) for step in steps))
    libc = ctypes.CDLL(None, use_errno=True)
    no_new_privileges, seccomp, by_filter = 38, 22, 2
    assert libc.prctl(no_new_privileges, 1, 0, 0, 0) == 0
    assert libc.prctl(seccomp, by_filter, ctypes.byref(Program(len(steps), filters)), 0, 0) == 0, ctypes.get_errno()

if sys.platform == "linux" and platform.machine() in ("x86_64", "aarch64"):
    forbid_in_the_kernel()
sys.addaudithook(refuse)
'''


def unplugged(folder: Path) -> dict[str, str]:
    """The environment variables that make it so, by a module in `folder` that every Python imports at its start."""
    folder.mkdir(exist_ok=True)
    (folder / "sitecustomize.py").write_text(HOOK, encoding="utf-8")
    others = os.environ.get("PYTHONPATH")
    return {"PYTHONPATH": str(folder) + (os.pathsep + others if others else "")}
