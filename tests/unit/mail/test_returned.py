"""Notices of mail servers and complaints, and what is believed of them."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podium.platform.client.returned_mail import signature
from podium.platform.errors import InvalidInput, NotAuthenticated
from podium.platform.mail.returned import Happening, read_notice, require_signed, told_notice

ID = UUID("01890a5d-ac96-774b-bcce-b302099a8057")
SECRET = "s" * 32
MOMENT = datetime(2026, 5, 31, 12, 0, tzinfo=UTC)


def notice(
    *,
    status: str = "5.1.1",
    action: str = "failed",
    said: str = "550 5.1.1 User unknown",
    to: str = "podium@x.test",
    kind: str = "message/delivery-status",
    returned: str = f"Message-ID: <{ID}@podium.test>",
) -> bytes:
    return f"""\
From: MAILER-DAEMON@mail.test
To: {to}
Message-ID: <01890a5d-0000-774b-bcce-b302099a8057@mail.test>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: {kind}

Reporting-MTA: dns; mail.test

Final-Recipient: rfc822; ada@example.org
Action: {action}
Status: {status}
Diagnostic-Code: smtp; {said}

--b
Content-Type: text/rfc822-headers

Subject: Hello
{returned}

--b--
""".encode()


def test_a_mailbox_that_is_not_there():
    found = read_notice(notice())
    assert found is not None
    assert (found.message_id, found.happening, found.no_mailbox) == (ID, Happening.BOUNCE, True)
    assert "User unknown" in found.detail


@pytest.mark.parametrize(
    ("status", "said", "no_mailbox"),
    [("5.7.1", "554 5.7.1 spam", False), ("5.2.2", "552 5.2.2 full", False), ("5.1.10", "556 no", True)],
)
def test_a_message_that_was_not_wanted_says_nothing_of_the_mailbox(status: str, said: str, *, no_mailbox: bool):
    found = read_notice(notice(status=status, said=said))
    assert found is not None
    assert (found.happening, found.no_mailbox) == (Happening.BOUNCE, no_mailbox)


def test_a_delay_is_no_failure():
    found = read_notice(notice(status="4.4.1", action="delayed", said="451 later"))
    assert found is not None
    assert (found.happening, found.no_mailbox) == (Happening.DELAY, False)


def test_it_is_known_by_the_address_that_it_came_back_to():
    found = read_notice(notice(to=f"Bounces <back+{ID.hex}@podium.test>", returned="X: y"))
    assert found is not None
    assert found.message_id == ID


def test_a_complaint():
    found = read_notice(notice(kind="message/feedback-report"))
    assert found is not None
    assert (found.happening, found.no_mailbox) == (Happening.COMPLAINT, True)


def test_what_tells_of_nothing_of_ours_is_nothing():
    assert read_notice(notice(returned="Message-ID: <x@elsewhere.test>")) is None
    assert read_notice(b"Subject: I am away\n\nUntil Monday.") is None
    assert read_notice(b"") is None
    # The notice's own id is no message of ours, whatever it looks like.
    assert read_notice(f"Message-ID: <{ID}@mail.test>\n\nHello".encode()) is None


@given(st.binary(max_size=2000))
def test_anything_may_come(raw: bytes):
    read_notice(raw)
    read_notice(notice() + raw)
    read_notice(raw + b"\n" + notice())


def test_only_what_was_signed_a_moment_ago_is_believed():
    body = b"body"
    good = signature(SECRET, body, MOMENT.timestamp())
    require_signed(SECRET, good, body, MOMENT)
    for secret, signed, said, moment in (
        (SECRET, good, b"other", MOMENT),
        ("t" * 32, good, body, MOMENT),
        (SECRET, good.replace("t=1", "t=2", 1), body, MOMENT),
        (SECRET, "", body, MOMENT),
        (SECRET, "v1=x", body, MOMENT),
        ("", signature("", body, MOMENT.timestamp()), body, MOMENT),
        (SECRET, good, body, MOMENT.replace(minute=6)),
        (SECRET, good, body, MOMENT.replace(hour=11, minute=50)),
    ):
        with pytest.raises(NotAuthenticated):
            require_signed(secret, signed, said, moment)


def test_what_a_service_tells():
    found = told_notice(f"<{ID}@podium.test>", "bounce", "5.1.1", "no such user")
    assert (found.message_id, found.no_mailbox) == (ID, True)
    assert not told_notice(str(ID), "bounce", "5.7.1", "spam").no_mailbox
    assert told_notice(str(ID), "complaint", "", "").no_mailbox
    with pytest.raises(InvalidInput):
        told_notice("x", "bounce", "", "")
