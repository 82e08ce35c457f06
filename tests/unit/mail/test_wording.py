"""Organizers' Markdown as mail: what is filled in never becomes markup, and links lead nowhere they may not."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podium.platform.errors import InvalidInput
from podium.platform.mail.frame import frame
from podium.platform.mail.variables import VARIABLES, Variable
from podium.platform.mail.wording import MOST_BODY, MOST_SUBJECT, Wording, wording

ALL = {name: f"https://podium.test/{name}" if one.is_link else name.upper() for name, one in VARIABLES.items()}


class Read(HTMLParser):
    """What a browser makes of HTML: its elements with their attributes, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    @property
    def links(self) -> list[str | None]:
        return [attributes.get("href") for tag, attributes in self.elements if tag == "a"]


def made(body: str, **values: str) -> Read:
    return Read(wording("Hello", body).written({**ALL, **values}).html)


def test_each_recipient_gets_their_own_values_in_all_three_forms():
    text = wording("Hello {{name}}", "You are **{{ rank }}** in {{competition}}.")
    assert text.uses == {"name", "rank", "competition"}
    written = text.written({**ALL, "name": "Zoë", "rank": "3", "competition": "A & B"})
    assert written.subject == "Hello Zoë"
    assert written.text == "You are 3 in A & B.\n"
    assert written.html == "<p>You are <strong>3</strong> in A &amp; B.</p>\n"


@pytest.mark.parametrize(
    "body",
    [
        "<script>alert(1)</script>",
        "<b onclick=x>b</b>",
        "<a href='javascript:x'>x</a>",
        "a <!-- {{name}} --> b",
        "<style>*{}</style>",
    ],
)
def test_html_of_organizers_is_text_like_any_other(body: str):
    assert {tag for tag, _ in made(body).elements} <= {"p"}


@pytest.mark.parametrize(
    ("address", "is_link"),
    [
        ("https://example.org/a?b=1&c=2", True),
        ("http://example.org", True),
        ("mailto:ada@example.org", True),
        ("HTTPS://EXAMPLE.ORG", True),
        ("javascript:alert(1)", False),
        ("JaVaScRiPt:alert(1)", False),
        ("data:text/html,x", False),
        ("vbscript:x", False),
        ("file:///etc/passwd", False),
        ("/relative", False),
        ("//example.org", False),
        ("https:", False),
        ("mailto:", False),
        ("ftp://example.org", False),
    ],
)
def test_links_lead_to_web_pages_and_addresses_of_mail_alone(address: str, *, is_link: bool):
    assert bool(made(f"[x](<{address}>)").links) is is_link
    assert bool(made(f"[x]\n\n[x]: <{address}>").links) is is_link


def test_pictures_are_not_fetched():
    found = made("![a picture](https://example.org/pixel.png)")
    assert [tag for tag, _ in found.elements] == ["p", "a"]


def test_addresses_of_the_platform_are_links_wherever_they_stand():
    found = made("See {{leaderboard_link}}, or [submit]({{submit_link}}) `{{name}}`.")
    assert found.links == [ALL["leaderboard_link"], ALL["submit_link"]]
    assert made("[{{leaderboard_link}}](https://example.org)").links == ["https://example.org"]


@pytest.mark.parametrize(
    "address", ["https://example.org/{{name}}", "{{name}}", "https://{{submit_link}}", "x{{rank}}"]
)
def test_a_variable_is_no_part_of_an_address(address: str):
    with pytest.raises(InvalidInput, match="can't be a part of a link's address"):
        wording("Hello", f"[x]({address})")


def test_what_is_the_same_for_all_may_be_filled_in_before():
    text = wording(
        "{{competition}}: {{name}}", "{{name}} in {{competition}} & {{phase}}: {{submit_link}} {{competition}}"
    )
    common = {"competition": "<A>", "phase": "P", "submit_link": "https://podium.test", "rank": "9"}
    settled = text.settled(common)
    assert settled.uses == {"name"}
    assert settled.written({"name": "&"}) == text.written({**common, "name": "&"})


def test_all_that_is_wrong_is_said_at_once():
    with pytest.raises(InvalidInput) as refused:
        wording("a\nb" + "x" * MOST_SUBJECT, "{{nobody}} {{name}} {{nothing}}" + "x" * MOST_BODY)
    told = str(refused.value)
    for part in ("line break", f"more than {MOST_SUBJECT}", f"more than {MOST_BODY}", "'nobody'", "'nothing'"):
        assert part in told
    assert "{{leaderboard_link}}" in refused.value.remedy
    with pytest.raises(InvalidInput, match=r"subject is empty. The message is empty"):
        wording(" ", "\n")


HOSTILE = st.text() | st.sampled_from(
    [
        "<script>x</script>",
        '" onclick="x',
        "](javascript:x)",
        "[x](https://evil.test)",
        "**x**",
        "a\r\nBcc: x",
        "{{name}}",
        "&lt;",
        "\u202eevil",
        "\x00",
    ]
)


@given(value=HOSTILE)
def test_whatever_is_filled_in_stays_text(value: str):
    body = 'A {{name}} `{{name}}` *{{name}}* [{{name}}]({{submit_link}} "{{name}}")\n\n> {{name}}\n\n'
    body += "| {{name}} |\n|-|\n| x |"
    plain, filled = made(body, name="x"), made(body, name=value)
    assert [tag for tag, _ in filled.elements] == [tag for tag, _ in plain.elements]
    assert filled.links == plain.links
    assert [set(found) for _, found in filled.elements] == [set(found) for _, found in plain.elements]
    written = wording("Hi {{name}}", "x").written({"name": value})
    assert written.subject.isprintable()
    assert len(written.subject.splitlines()) == 1


@given(body=st.text(max_size=400))
def test_any_text_can_be_read_or_is_refused(body: str):
    try:
        text: Wording = wording("Hello", body)
    except InvalidInput:
        return
    written = text.written(ALL)
    for address in Read(written.html).links:
        assert address is not None
        assert address.lower().startswith(("http://", "https://", "mailto:"))


def test_a_frame_says_from_whom_it_is_and_how_to_stop_it():
    around = frame(
        heading="A {{name}} <b>", why="You take part in {{name}}.", link="https://podium.test/a", stops="Stop it"
    )
    written = wording("Hello", "x", around).written({"unsubscribe_link": "https://podium.test/stop"})
    found = Read(written.html)
    assert found.links == ["https://podium.test/a", "https://podium.test/stop"]
    assert "A { {name}} <b>" in found.text
    assert written.text.endswith("-- \nYou take part in { {name}}.\nStop it: https://podium.test/stop\n")


def test_other_variables_than_those_of_campaigns_may_be_there():
    text = wording(
        "{{what}}", "[see]({{there_link}})", variables={"what": Variable(""), "there_link": Variable("", is_link=True)}
    )
    assert Read(text.written({"what": "x", "there_link": "https://podium.test"}).html).links == ["https://podium.test"]


@pytest.mark.parametrize(
    ("body", "plain"),
    [
        ("# Title\n\nA\nb", "Title\n\nA\nb\n"),
        ("* one\n* two\n  * three\n* four", "- one\n- two\n  - three\n- four\n"),
        ("3. one\n4. two", "3. one\n4. two\n"),
        ("> a\n> b\n\nc", "> a\n> b\n\nc\n"),
        ("    code\n    more", "    code\n    more\n"),
        ("a\n\n---\n\nb", f"a\n\n{'-' * 40}\n\nb\n"),
        ("| a | b |\n|---|---|\n| 1 | 2 |", "a | b\n1 | 2\n"),
        ("[there](https://example.org)", "there (https://example.org)\n"),
        ("<https://example.org> <a@example.org>", "https://example.org a@example.org\n"),
        ("~~no~~ **yes** *so* `code`", "no yes so code\n"),
        ("one  \ntwo", "one\ntwo\n"),
        ("* a\n\n  b\n* c", "- a\n\n  b\n- c\n"),
    ],
)
def test_the_same_as_plain_text(body: str, plain: str):
    assert wording("Hello", body).written({}).text == plain
