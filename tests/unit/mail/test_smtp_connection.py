"""A message offered to a mail server, with and without its commands at once: what is said, and what never is."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import closing

import pytest

from podium.platform.mail.addresses import mail_address
from podium.platform.mail.configuration import MailConfiguration
from podium.platform.mail.smtp_connection import ConnectionBroken, MailConnection, NotHandedOver
from podium.platform.mail.verdicts import Stage

MESSAGE = b"Subject: Hello\r\n\r\n.a dot\r\n.\r\nbye\r\n"


class Server:
    """Answers commands as it is told; after `closes` it hangs up."""

    def __init__(self, *, pipelining: bool) -> None:
        self.pipelining = pipelining
        self.answers = {"MAIL": "250 OK", "RCPT": "250 OK", "DATA": "354 go on", "RSET": "250 OK", "QUIT": "221 bye"}
        self.taken = "250 taken"
        self.closes = ""
        self.heard: list[str] = []
        self.got: list[bytes] = []
        self.most_at_once = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                self._talk(connection)

    def _talk(self, connection: socket.socket) -> None:
        connection.sendall(b"220 here\r\n")
        rest = b""
        while data := connection.recv(65536):
            lines = (rest + data).split(b"\r\n")
            rest = lines.pop()
            self.most_at_once = max(self.most_at_once, len(lines))
            for line in lines:
                word = line.decode().split()[0].upper()
                self.heard.append(word)
                if word == "EHLO":
                    connection.sendall(
                        b"250-here\r\n250-PIPELINING\r\n250 HELP\r\n" if self.pipelining else b"250 here\r\n"
                    )
                    continue
                connection.sendall(f"{self.answers[word]}\r\n".encode())
                if word == self.closes:
                    return
                if word == "DATA" and self.answers[word].startswith("354") and not self._read(connection):
                    return

    def _read(self, connection: socket.socket) -> bool:
        content = b""
        while not content.endswith(b"\r\n.\r\n"):
            data = connection.recv(65536)
            if not data:
                return False
            content += data
        self.got.append(content)
        connection.sendall(f"{self.taken}\r\n".encode())
        return True


@pytest.fixture(params=[True, False], ids=["at once", "one by one"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with closing(Server(pipelining=request.param)) as made:
        yield made


@pytest.fixture
def connection(server: Server) -> Iterator[MailConnection]:
    sender = mail_address("podium@podium.test")
    assert sender is not None
    made = MailConnection(
        MailConfiguration(
            host="127.0.0.1",
            port=server.port,
            security="none",
            username="",
            password="",
            ca_file=None,
            sender=sender,
            bounces=None,
            connections=1,
            per_minute=None,
            domain_per_minute=None,
            timeout_seconds=5,
            retry_seconds=60,
            give_up_seconds=3600,
        )
    )
    yield made
    made.quit()


def deliver(connection: MailConnection, *, allowed: bool = True) -> tuple[Stage, int]:
    assert connection.open() is None
    answer = connection.deliver("podium@podium.test", "ada@example.org", MESSAGE, lambda: allowed)
    return answer.stage, answer.reply.code


def test_messages_go_over_one_connection(server: Server, connection: MailConnection):
    assert [deliver(connection) for _ in range(3)] == [(Stage.CONTENT, 250)] * 3
    assert server.heard == ["EHLO", *["MAIL", "RCPT", "DATA"] * 3]
    assert server.most_at_once == (3 if server.pipelining else 1)
    assert server.got == [b"Subject: Hello\r\n\r\n..a dot\r\n..\r\nbye\r\n.\r\n"] * 3


@pytest.mark.parametrize(
    ("command", "stage"), [("MAIL", Stage.SENDER), ("RCPT", Stage.RECIPIENT), ("DATA", Stage.READY)]
)
@pytest.mark.parametrize("code", [450, 550])
def test_a_refusal_is_told_where_it_was_and_the_next_message_goes(
    server: Server, connection: MailConnection, command: str, stage: Stage, code: int
):
    usual = dict(server.answers)
    server.answers[command] = f"{code} no"
    if command != "DATA":
        server.answers["DATA"] = "554 5.5.1 no valid recipients"
    assert deliver(connection) == (stage, code)
    server.answers = usual
    assert deliver(connection) == (Stage.CONTENT, 250)
    assert server.heard.count("EHLO") == 1
    assert len(server.got) == 1


def test_nothing_is_written_to_a_server_that_waits_for_a_message_to_nobody(server: Server, connection: MailConnection):
    server.answers["RCPT"] = "550 5.1.1 no such user"
    assert deliver(connection) == (Stage.RECIPIENT, 550)
    server.answers["RCPT"] = "250 OK"
    assert deliver(connection) == (Stage.CONTENT, 250)
    # Told of all commands at once it has said go on, and gets nothing: not even an empty message.
    assert server.heard.count("EHLO") == (2 if server.pipelining else 1)
    assert len(server.got) == 1


@pytest.mark.parametrize("command", ["MAIL", "RCPT"])
def test_a_server_that_goes_away_has_answered(server: Server, connection: MailConnection, command: str):
    server.answers[command], server.closes = "421 4.3.2 going away", command
    stage, code = deliver(connection)
    assert (stage, code) == (Stage.SENDER if command == "MAIL" else Stage.RECIPIENT, 421)
    server.answers[command], server.closes = "250 OK", ""
    assert deliver(connection) == (Stage.CONTENT, 250)


def test_a_connection_that_breaks_before_the_message_has_told_nothing(server: Server, connection: MailConnection):
    server.closes = "RCPT"
    with pytest.raises(ConnectionBroken) as broken:
        deliver(connection)
    assert not broken.value.written
    assert server.got == []


def test_what_may_not_be_handed_over_is_not(server: Server, connection: MailConnection):
    with pytest.raises(NotHandedOver):
        deliver(connection, allowed=False)
    assert deliver(connection) == (Stage.CONTENT, 250)
    assert len(server.got) == 1


def test_an_answer_that_says_nothing_leaves_it_open_whether_it_has_the_message(
    server: Server, connection: MailConnection
):
    server.taken = "399 what"
    with pytest.raises(ConnectionBroken) as broken:
        deliver(connection)
    assert broken.value.written
