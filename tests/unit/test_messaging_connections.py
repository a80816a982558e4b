"""What comes over the wire, byte by byte: from a server that says whatever a test wants."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from messaging.connections import BadReply, Exchange, NotWritten, Reply, TooLate, run


@contextmanager
def server(*answers: bytes, close: bool = False) -> Iterator[tuple[str, list[int]]]:
    """Answers each request on each connection with the next of these, a few bytes at a time;
    its address, and of each request the number of the connection that it came on."""
    listening = socket.create_server(("127.0.0.1", 0))
    came_on: list[int] = []
    left = list(answers)

    def serve() -> None:
        number = 0
        while left:
            connection, _ = listening.accept()
            number += 1
            with connection:
                while left and connection.recv(65536):
                    came_on.append(number)
                    answer = left.pop(0)
                    for at in range(0, len(answer), 7):
                        connection.sendall(answer[at : at + 7])
                    if close:
                        break

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/path", came_on
    finally:
        thread.join(5)
        listening.close()


def ask(url: str, exchange: Exchange | None = None) -> Reply:
    return run((exchange or Exchange()).send("POST", url, {"A": "b"}, b"body"))


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Y: z\r\n\r\nhi"
CHUNKED = (
    b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n1\r\n!\r\n0\r\n"
)


@pytest.mark.parametrize(
    ("answer", "status", "text"),
    [
        (OK, 200, "hi"),
        (CHUNKED + b"\r\n", 201, "hello!"),
        (CHUNKED + b"Trailer: x\r\n\r\n", 201, "hello!"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, 200, "hi"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, ""),
    ],
)
def test_whole_answers_are_read_and_the_connection_is_kept(answer, status, text):
    with server(answer, answer) as (url, came_on):
        for _ in range(2):
            reply = ask(url)
            assert (reply.status, reply.text) == (status, text)
    assert came_on == [1, 1]


@pytest.mark.parametrize(
    "answer", [b"HTTP/1.1 200 OK\r\n\r\nto the end", OK.replace(b"X-Y: z", b"Connection: close")]
)
def test_a_connection_that_ends_is_not_used_again(answer):
    with server(answer, answer, close=True) as (url, came_on):
        assert [ask(url).status for _ in range(2)] == [200, 200]
    assert came_on == [1, 2]


def test_one_that_the_peer_closed_meanwhile_is_not_written_to():
    with server(OK, OK, close=True) as (url, came_on):
        ask(url)
        time.sleep(0.05)  # for the FIN, which nothing here can wait for
        assert ask(url).status == 200
    assert came_on == [1, 2]


@pytest.mark.parametrize(
    "answer", [b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", OK[:-1], b""]
)
def test_what_is_no_whole_answer_is_none(answer):
    exchange = Exchange()
    with (
        server(answer, close=True) as (url, _),
        pytest.raises((BadReply, ConnectionResetError)),
    ):
        ask(url, exchange)
    assert exchange.written
    assert exchange.reply is None


def test_one_that_nobody_used_for_long_is_not_written_to(monkeypatch):
    monkeypatch.setattr("messaging.connections.IDLE_SECONDS", 0)
    with server(OK, OK) as (url, came_on):
        assert [ask(url).status for _ in range(2)] == [200, 200]
    assert came_on == [1, 2]


def test_nothing_is_written_when_it_is_late_or_nobody_listens():
    late, nobody = Exchange(write_before=time.monotonic()), Exchange()
    with server(OK) as (url, came_on):
        with pytest.raises(TooLate):
            ask(url, late)
        assert came_on == []
        ask(url)
    with pytest.raises(NotWritten):
        ask("http://127.0.0.1:9/", nobody)
    assert not late.written
    assert not nobody.written


def test_an_answer_is_awaited_for_so_long_and_no_longer(monkeypatch):
    monkeypatch.setattr("messaging.connections.READ_SECONDS", 0.1)
    exchange = Exchange()
    with server(b"HTTP/1.1 200 OK\r\n", OK) as (url, came_on):
        with pytest.raises(TimeoutError):
            ask(url, exchange)
        assert ask(url).status == 200
    assert exchange.written
    assert came_on == [1, 2]
