"""Imports what every worker needs, once, and forks workers for the executor on its word.

Run as ``python zygote.py BRIDGE`` with one end of a socket as standard input. The executor says
``fork NUMBER``, with three descriptors, or ``kill PID``; what is told is one JSON value a message,
and the answer to a fork names its number. The zygote ends when the other end of the socket closes,
and with the executor's thread that started it.
"""

from __future__ import annotations

import contextlib
import gc
import importlib.machinery
import importlib.util
import json
import os
import select
import signal
import socket
import sys
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator

_STDIN, _STDOUT, _STDERR = 0, 1, 2
_LONGEST = 4096
_GIFTS = 3
#: Where pyarrow's allocator looks; a thread of its own would not live on in a fork.
_JEMALLOC = "JE_ARROW_MALLOC_CONF"


class Zygote:
    """A process with one thread, its children, and the executor's end to talk to."""

    def __init__(self, executor: socket.socket) -> None:
        """Listen to ``executor``."""
        self._executor = executor
        self._bridge: Any = None
        self._children: set[int] = set()
        self._forked = False
        self._link: Any = None
        self._bell, self._rung = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)

    def serve(self, bridge: Any) -> Any:
        """Fork, kill and tell until the executor goes; return, in a fork, what it is to serve."""
        self._bridge = bridge
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._rung, warn_on_full_buffer=False)
        poller = select.poll()
        poller.register(self._executor, select.POLLIN)
        poller.register(self._bell, select.POLLIN)
        self.tell("ready")
        while True:
            ready = {descriptor for descriptor, _ in poller.poll()}
            if self._bell in ready:
                with contextlib.suppress(BlockingIOError):
                    os.read(self._bell, _LONGEST)
                self._bury()
            if self._executor.fileno() in ready and not self._answer():
                return self._link

    def tell(self, news: Any) -> None:
        """Send one JSON value."""
        with contextlib.suppress(OSError):
            self._executor.send(json.dumps(news).encode())

    def _answer(self) -> bool:
        """Do what the executor asks; False when it has gone, and in a fork."""
        word, gifts, _, _ = socket.recv_fds(self._executor, _LONGEST, _GIFTS)
        command, _, argument = word.decode().partition(" ")
        if command == "fork" and len(gifts) == _GIFTS:
            self._fork(int(argument), gifts)
        elif command == "kill" and int(argument) in self._children:
            # Not buried yet, so the number is still the child's.
            os.kill(int(argument), signal.SIGKILL)
        return bool(word) and not self._forked

    def _fork(self, number: int, gifts: list[int]) -> None:
        parent = os.getpid()
        try:
            pid = os.fork()
        except OSError as error:
            self.tell({"refused": [number, str(error)]})
        else:
            if pid == 0:
                self._become_fork(parent, gifts)
                return
            self._children.add(pid)
            self.tell({"forked": [number, pid]})
        for gift in gifts:
            os.close(gift)

    def _become_fork(self, parent: int, gifts: list[int]) -> None:
        """Leave what is the zygote's."""
        self._forked = True
        signal.set_wakeup_fd(-1)
        for descriptor in (self._bell, self._rung):
            os.close(descriptor)
        self._executor.close()
        if self._bridge.end_with_parent(parent):
            self._link = self._bridge.Link(*gifts)

    def _bury(self) -> None:
        """Tell of every child that has ended."""
        while self._children:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            self._children.discard(pid)
            self.tell({"ended": [pid, status]})


def main(bridge: str) -> Any:
    """Get ready and serve; return, in a fork, what it is to serve."""
    close_inherited()
    zygote = Zygote(socket.socket(fileno=os.dup(_STDIN)))
    _settle_streams()
    # Signals of a terminal are the executor's.
    os.setpgid(0, 0)
    try:
        library = _load_bridge(bridge)
        library.end_with_parent(os.getppid())
        _load_worker(library)
    except Exception as error:  # noqa: BLE001 - whatever it is, the executor must hear of it
        zygote.tell({"failed": f"{type(error).__name__}: {error}"})
        return None
    return zygote.serve(library)


def close_inherited() -> None:
    """Close the JVM's files and connections, of which it does not say that they end with an exec.

    By name: a JVM may open as many as the system allows, and to close each that there might be
    takes minutes where the kernel is not asked for all at once (before Python 3.10, or an old C
    library).
    """
    try:
        names = os.listdir("/proc/self/fd")
    except OSError:
        os.closerange(_STDERR + 1, os.sysconf("SC_OPEN_MAX"))
        return
    for descriptor in map(int, names):
        if descriptor > _STDERR:
            with contextlib.suppress(OSError):  # the listing's own
                os.close(descriptor)


def _settle_streams() -> None:
    """Read nothing, and write to the executor's standard error, as Spark's workers do."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, _STDIN)
    os.close(nothing)
    os.dup2(_STDERR, _STDOUT)


def _load_bridge(path: str) -> Any:
    loader = importlib.machinery.ExtensionFileLoader("ember_bridge", path)
    spec = importlib.util.spec_from_file_location("ember_bridge", path, loader=loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def _load_worker(bridge: Any) -> None:
    """Import ``ember_worker`` from this file's folder, and with it what functions use."""
    _import_package(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    # As ``python -m`` has it; the folder of this file is nobody's to import from.
    sys.path[0] = os.getcwd()
    with _without_background_threads():
        from ember_worker import boot, rowfn
        from ember_worker.isolation import modules
        from ember_worker.process import session

        boot.load_worker(in_executor=False)
    modules.settle()
    rowfn.use(bridge)
    bridge.serve(session.run, boot.SessionCancelled)
    gc.collect()
    gc.freeze()


@contextlib.contextmanager
def _without_background_threads() -> Iterator[None]:
    chosen = os.environ.get(_JEMALLOC)
    os.environ[_JEMALLOC] = "background_thread:false" + ("" if chosen is None else f",{chosen}")
    try:
        yield
    finally:
        del os.environ[_JEMALLOC]
        if chosen is not None:
            os.environ[_JEMALLOC] = chosen


def _import_package(package: str) -> None:
    spec = importlib.util.spec_from_file_location(
        "ember_worker",
        os.path.join(package, "__init__.py"),
        submodule_search_locations=[package],
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["ember_worker"] = module
    spec.loader.exec_module(module)


def end_fork() -> NoReturn:
    """End a fork here: what the zygote would do at its end is not a worker's to do."""
    with contextlib.suppress(Exception):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(sys.exc_info()[0] is not None)


if __name__ == "__main__":
    _ZYGOTE = os.getpid()
    try:
        _link = main(sys.argv[1])
        if _link is not None:
            from ember_worker.process import worker

            worker.serve(_link)  # from here: a function may recurse as far as in Spark's worker
    finally:
        if os.getpid() != _ZYGOTE:
            end_fork()
