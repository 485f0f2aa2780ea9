"""A wire between a client and a server that can be cut."""

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

#: Closes a socket so that the other end sees a reset and not an end.
AT_ONCE = struct.pack("ii", 1, 0)


class Proxy:
    """Hands on what either side says; cuts all connections when told, or after so many bytes."""

    def __init__(self, server: int, cut_after: int | None) -> None:
        self._server = server
        self._cut_after = cut_after
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._passed = 0
        self.connections = 0
        self.cuts = 0
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Drop every connection, as a network does."""
        with self._lock:
            self.cuts += 1
            for end in self._open:
                with contextlib.suppress(OSError):
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
                    end.shutdown(socket.SHUT_RDWR)
            self._open.clear()

    def close(self) -> None:
        """Take no further connection, and end those there are."""
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._server))
                with self._lock:
                    self.connections += 1
                    self._open |= {client, server}
                for ends in ((client, server, False), (server, client, True)):
                    threading.Thread(target=self._pass_on, args=ends, daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket, counted: bool) -> None:  # noqa: FBT001 (a thread's argument)
        with contextlib.suppress(OSError), source, sink:
            while said := source.recv(1 << 14):
                sink.sendall(said)
                if counted and self._over(len(said)):
                    self.cut()

    def _over(self, said: int) -> bool:
        with self._lock:
            before, self._passed = self._passed, self._passed + said
        return self._cut_after is not None and before < self._cut_after <= self._passed


@contextmanager
def between(server: int, cut_after: int | None = None) -> Iterator[Proxy]:
    """A proxy before the server at this port."""
    proxy = Proxy(server, cut_after)
    try:
        yield proxy
    finally:
        proxy.close()
