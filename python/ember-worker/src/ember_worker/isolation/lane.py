"""What the kernel gives a lane's thread: a directory and a umask of its own, and its stack."""

from __future__ import annotations

import ctypes
import sys
import threading

_CLONE_FS = 0x00000200
_ATTRIBUTES_BYTES = 64  # more than a pthread_attr_t needs on any 64-bit Linux

_lane = threading.local()


def own_directory() -> bool:
    """Give the calling lane its own working directory and umask; return whether it has them.

    Threads that the lane starts share them. Without permission (a container may forbid
    ``unshare``) the whole executor keeps sharing one directory.
    """
    if not hasattr(_lane, "apart"):
        try:
            _lane.apart = ctypes.CDLL(None).unshare(_CLONE_FS) == 0
        except (AttributeError, OSError):
            _lane.apart = False
    return bool(_lane.apart)


def stack_bytes() -> int | None:
    """Return the size of the calling thread's stack, or None where it cannot be asked."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)
    attributes = ctypes.create_string_buffer(_ATTRIBUTES_BYTES)
    if libc.pthread_getattr_np(ctypes.c_ulong(threading.get_ident()), attributes) != 0:
        return None
    size = ctypes.c_size_t()
    libc.pthread_attr_getstacksize(attributes, ctypes.byref(size))
    libc.pthread_attr_destroy(attributes)
    return size.value
