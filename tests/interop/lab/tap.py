"""A wire that keeps what goes over it, and that can be cut off in mid-conversation."""

import contextlib
import socket
import threading


class Tap:
    """Forwards connections to a port of this machine."""

    def __init__(self, port):
        self.upstream = port
        self.up, self.down = [], []
        self.open = threading.Event()
        self.open.set()
        self.answers_left = None
        self.holding = threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                near, _ = self.listener.accept()
                far = socket.create_connection(("127.0.0.1", self.upstream))
                for source, sink, kept in ((near, far, self.up), (far, near, self.down)):
                    threading.Thread(target=self._forward, args=(source, sink, kept), daemon=True).start()

    def _forward(self, source, sink, kept):
        with contextlib.suppress(OSError):
            while data := source.recv(64 * 1024):
                kept.append(data)
                if kept is self.down:
                    self._wait_if_held()
                sink.sendall(data)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _wait_if_held(self):
        if self.answers_left is None:
            return
        if self.answers_left > 0:
            self.answers_left -= 1
        else:
            self.holding.set()
            self.open.wait()

    def hold_after(self, answers):
        """Lets so many pieces of answers through, and then none until `release`."""
        self.holding.clear()
        self.open.clear()
        self.answers_left = answers

    def release(self):
        self.answers_left = None
        self.open.set()

    def bytes(self):
        """All that went over it, either way."""
        return b"".join(self.up) + b"\0" + b"".join(self.down)

    def close(self):
        self.release()
        self.listener.close()
