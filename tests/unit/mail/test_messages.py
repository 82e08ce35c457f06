"""Messages as they go over the wire: nothing that people write gets among the headers."""

from __future__ import annotations

import email
import email.policy
from datetime import UTC, datetime
from email.message import EmailMessage
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from podium.platform.mail.addresses import MailAddress, mail_address, one_line
from podium.platform.mail.messages import Letterhead, Stationery, message_id
from podium.platform.mail.wording import Written

ID = UUID("01890a5d-ac96-774b-bcce-b302099a8057")
MOMENT = datetime(2026, 5, 31, 12, 0, 0, tzinfo=UTC)
STOP = "https://podium.test/api/v1/mail/unsubscribe/" + "announcement~" + "a" * 80
NAMES = (
    *("From", "Reply-To", "List-Id", "Precedence", "Auto-Submitted", "X-Auto-Response-Suppress", "MIME-Version"),
    *("To", "Subject", "Date", "Message-ID", "List-Unsubscribe", "List-Unsubscribe-Post", "Content-Type"),
)
SENDER, TO = MailAddress("podium", "podium.test"), MailAddress("ada", "example.org")


def made(
    *,
    subject: str = "Hello",
    text: str = "a\n",
    html: str = "<p>a</p>\n",
    name: str = "Ada",
    title: str = "Iris",
    stop: str = STOP,
) -> bytes:
    head = Letterhead(SENDER, title, MailAddress("olga", "example.org"), title, "iris.podium.test", title)
    written = Written(subject, text, html)
    return Stationery(head).message(written, to=TO, to_name=name, outbox_id=ID, moment=MOMENT, unsubscribe=stop)


def parsed(message: bytes) -> EmailMessage:
    found = email.message_from_bytes(message, policy=email.policy.default)
    assert isinstance(found, EmailMessage)
    return found


def test_all_headers_are_there_once_and_read_back_as_they_were():
    found = parsed(made(subject="Zoë: the final phase", name="Zoë Ω", title="Irises & more"))
    assert tuple(found.keys()) == NAMES
    assert found["Subject"] == "Zoë: the final phase"
    assert found["To"].addresses[0].display_name == "Zoë Ω"
    assert found["To"].addresses[0].addr_spec == "ada@example.org"
    assert found["From"].addresses[0].display_name == "Irises & more"
    assert found["Message-ID"] == message_id(ID, "podium.test") == f"<{ID}@podium.test>"
    assert found["List-Unsubscribe"] == f"<{STOP}>"
    assert found["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert found["List-Id"] == "Irises & more <iris.podium.test>"
    assert found["Auto-Submitted"] == "auto-generated"
    assert found["Date"].datetime == MOMENT
    assert found.get_content_type() == "multipart/alternative"


def test_a_long_address_to_stop_it_stays_on_a_line_as_it_is():
    assert f"\r\nList-Unsubscribe: <{STOP}>\r\n".encode() in made()
    assert b"One-Click" not in made(stop=STOP.replace("https", "http"))
    assert b"List-Unsubscribe" not in made(stop="")
    with pytest.raises(ValueError, match="is none"):
        made(stop="https://podium.test/>\r\nBcc: x")


HOSTILE = st.text() | st.sampled_from(
    [
        "a\r\nBcc: evil@example.org",
        "a\nBcc: evil@example.org",
        "a\rBcc: x",
        "a\x0bBcc: x",
        "a\u2028Bcc: x",
        "a\x00b",
        '"; Bcc: x',
        "evil@example.org, ",
        "<evil@example.org>",
        "=?utf-8?q?a=0d=0aBcc:_x?=",
        "(comment",
        "a" * 3000,
        "ä" * 500,
        "\ud83d",
    ]
)


@given(subject=HOSTILE, name=HOSTILE, title=HOSTILE)
@example(subject="=?utf-8?q?=0D=0ABcc:_x?=", name="=?utf-8?q?=0D=0ABcc:_x?=", title="=?utf-8?q?=0D=0ABcc:_x?=")
def test_nobody_gets_a_header_of_their_own_into_a_message(subject: str, name: str, title: str):
    message = made(subject=subject, name=name, title=title)
    found = parsed(message)
    assert tuple(found.keys()) == NAMES
    for header in ("From", "Reply-To", "To"):
        assert len(found[header].addresses) == 1, found[header]
    assert found["To"].addresses[0].addr_spec == "ada@example.org"
    assert found["From"].addresses[0].addr_spec == "podium@podium.test"
    head = message.partition(b"\r\n\r\n")[0]
    assert head.isascii()
    assert b"\n" not in head.replace(b"\r\n", b"")
    assert b"\r" not in head.replace(b"\r\n", b"")
    assert max(len(line) for line in head.split(b"\r\n")) <= 998


@given(text=st.text(alphabet=st.characters(exclude_categories=("Cs",))))
def test_a_body_arrives_as_it_is_in_lines_that_any_server_takes(text: str):
    message = made(text=text, html=f"<pre>{text}</pre>")
    assert max(len(line) for line in message.split(b"\r\n")) <= 998
    assert message.isascii()
    body = parsed(message).get_body(("plain",))
    assert body is not None
    assert body.get_content().splitlines() == [*"\n".join(text.splitlines()).split("\n")] or not text.strip("\r\n")


def test_a_boundary_in_a_text_ends_nothing():
    found = parsed(made(text=f"a\n--=_{ID.hex}--\nb\n"))
    plain, html = found.get_body(("plain",)), found.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert plain.get_content().splitlines() == ["a", f"--=_{ID.hex}--", "b"]


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("ada@example.org", "ada@example.org"),
        ("Ada.L+x@Example.ORG", "Ada.L+x@example.org"),
        ("ada@bücher.example", "ada@xn--bcher-kva.example"),
        ("ada@localhost", "ada@localhost"),
    ],
)
def test_addresses_that_mail_can_go_to(written: str, address: str):
    assert str(mail_address(written)) == address


@pytest.mark.parametrize(
    "written",
    [
        *(
            "",
            "ada",
            "@example.org",
            "ada@",
            "a b@example.org",
            "a@b@example.org",
            "a..b@example.org",
            ".a@example.org",
        ),
        *('"a b"@example.org', "<a@example.org>", "a@example.org>", "a@exa mple.org", "a@example.org\r\nBcc: x"),
        *("a@[127.0.0.1]", "ä@example.org", "a,b@example.org", "a@-x.org", f"{'a' * 65}@example.org", "a@x..org"),
        *(f"a@{'x' * 64}.org", "a@x.org.", "a\x00@x.org"),
    ],
)
def test_addresses_that_it_can_not_go_to(written: str):
    assert mail_address(written) is None


@given(st.text())
def test_words_become_one_line(text: str):
    line = one_line(text, most=50)
    assert len(line) <= 50
    assert line.isprintable()
    assert line == line.strip()
