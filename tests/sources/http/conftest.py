"""Servers that say, byte for byte, what a test wants to be said; and a clock whose waits are free."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import pytest

from macrocredit_assets.sources.http import Asked, HttpClient, HttpPolicy
from macrocredit_assets.sources.http.pace import Clock, Paces
from macrocredit_assets.windows import Window

#: Bytes to send, or what to do with a connection whose request has been read.
Script = bytes | Callable[[socket.socket], None]


class Wire:
    """A server on this machine that answers its n-th connection with the n-th script, and the rest with the last."""

    def __init__(self, *scripts: Script, tls: ssl.SSLContext | None = None) -> None:
        self._scripts = scripts
        self._tls = tls
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self.port}/data"
        self.heads: list[str] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        number = 0
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                script = self._scripts[min(number, len(self._scripts) - 1)]
                number += 1
                # a client that hangs up is what many of these tests are about
                with contextlib.suppress(OSError), connection:
                    self._answer(connection, script)

    def _answer(self, connection: socket.socket, script: Script) -> None:
        with self._tls.wrap_socket(connection, server_side=True) if self._tls else connection as spoken:
            head = b""
            while b"\r\n\r\n" not in head:
                if not (piece := spoken.recv(65_536)):
                    return
                head += piece
            self.heads.append(head.decode())
            if callable(script):
                script(spoken)
            else:
                spoken.sendall(script)

    def close(self) -> None:
        """Hang up; a script that is still sending fails at its next byte."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(5)


def reply(body: bytes = b"", status: str = "200 OK", *headers: str, length: int | None = None) -> bytes:
    """Return an answer with its Content-Length, right unless another one is given."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def reset(connection: socket.socket) -> None:
    """End a connection as a machine does that has lost it: RST, not FIN."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def trickle(begin: bytes, drop: bytes) -> Callable[[socket.socket], None]:
    """Return a script that sends a beginning and then drop after drop, for as long as somebody listens."""

    def script(connection: socket.socket) -> None:
        connection.sendall(begin)
        for _ in range(1_000):
            time.sleep(0.02)
            connection.sendall(drop)

    return script


@dataclass
class Waits:
    """A clock that runs, and jumps where it is told to sleep."""

    slept: list[float] = field(default_factory=list)

    def monotonic(self) -> float:
        """Return the seconds of the machine and those slept."""
        return time.monotonic() + sum(self.slept)

    def sleep(self, seconds: float) -> None:
        """Jump."""
        self.slept.append(seconds)

    @property
    def clock(self) -> Clock:
        """What a client takes."""
        return Clock(self.monotonic, self.sleep, lambda: datetime(2024, 2, 1, 12, tzinfo=UTC))


#: Makes a client of rates and of fields of its policy.
MakeClient = Callable[..., HttpClient]


class Wires:
    """Starts servers, and knows the words they may say."""

    reply, reset, trickle = staticmethod(reply), staticmethod(reset), staticmethod(trickle)

    def __init__(self) -> None:
        self._stack = contextlib.ExitStack()

    def serve(self, *scripts: Script, tls: ssl.SSLContext | None = None) -> Wire:
        """Start a server."""
        return self._stack.enter_context(contextlib.closing(Wire(*scripts, tls=tls)))

    def close(self) -> None:
        """End them all."""
        self._stack.close()


@pytest.fixture
def wire() -> Iterator[Wires]:
    """Return what starts servers, and end them after the test."""
    with contextlib.closing(Wires()) as wires:
        yield wires


@pytest.fixture
def waits() -> Waits:
    """Return the clock of this test."""
    return Waits()


@pytest.fixture
def make_client(waits: Waits) -> MakeClient:
    """Return what makes clients of a policy; their waits are free, and no pace is shared with another test."""

    def make(rates: dict[str, float] | None = None, **policy: float) -> HttpClient:
        given = {"retries": 2, "jitter_seconds": 0.0, "total_seconds": 60.0} | policy
        return HttpClient(HttpPolicy(**given), rates=rates, clock=waits.clock, paces=Paces())  # type: ignore[arg-type]

    return make


@pytest.fixture
def asked() -> Asked:
    """Return for whom these tests ask."""
    return Asked("treasury_10y", "fred:DGS10", Window(date(2024, 1, 1), date(2024, 1, 31)), "FRED")


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away the exceptions from proxies, and the certificates, of this machine."""
    for name in ("no_proxy", "NO_PROXY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
