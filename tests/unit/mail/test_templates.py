"""The texts of Podium's own messages: each is rendered with all that it may say, in HTML and in plain text."""

from __future__ import annotations

from uuid import UUID

import pytest

from podium.platform.errors import InvalidInput
from podium.platform.mail import template_files
from podium.platform.mail.messages import Letterhead, Stationery
from podium.platform.mail.news_letters import SHOWN, STOPS, Told, digest_wording, news_wording
from podium.platform.mail.template_files import (
    FOLDER,
    NEWS_GO_HERE,
    OF_NO_COMPETITION,
    OWN_VARIABLES,
    TemplateName,
    template,
    variables_of,
)
from podium.platform.mail.wording import Written
from podium.platform.models import now

HOSTILE = '<b>*Iris*</b> [x](https://evil.test) `c`\r\nBcc: a@b.org {{reason}} "'
SEEN = "&lt;b&gt;*Iris*&lt;/b&gt; [x](https://evil.test) `c` Bcc: a@b.org {{reason}} &quot;"
ALONE = [name for name in TemplateName if name is not TemplateName.DIGEST]


def values_for(name: TemplateName) -> dict[str, str]:
    """Something to fill in for each variable, by which it is known again."""
    names = {*variables_of(name), "unsubscribe_link"}
    return {one: f"https://podium.test/{one}" if one.endswith("_link") else f"<{one}>" for one in names}


def rendered(name: TemplateName, values: dict[str, str]) -> Written:
    return news_wording(name, heading="Iris", link="https://podium.test/iris", stops=STOPS).written(values)


def test_there_is_a_file_for_each_template_and_no_other():
    assert {one.stem for one in FOLDER.iterdir()} == set(TemplateName)


@pytest.mark.parametrize("name", TemplateName)
def test_a_template_says_all_that_it_has_to_and_knows_nothing_else(name: TemplateName):
    found = template(name)
    assert found.uses <= variables_of(name)
    assert found.uses >= OWN_VARIABLES[name]
    assert found.subject
    assert found.why.endswith(".")
    assert bool(found.in_brief) == (name not in {TemplateName.ADDRESS_CONFIRMATION, TemplateName.DIGEST})
    assert (NEWS_GO_HERE in found.body.splitlines()) == (name is TemplateName.DIGEST)
    assert ("competition" in variables_of(name)) == (name not in OF_NO_COMPETITION)


@pytest.mark.parametrize("name", ALONE)
def test_a_template_is_rendered_with_everything_that_it_uses(name: TemplateName):
    values = values_for(name)
    written = rendered(name, values)
    for text in (written.subject, written.text, written.html):
        assert "{{" not in text
    brief = template(name).in_brief
    for used in template(name).uses - template_files.used_in(brief, template(name).subject):
        shown = values[used]
        assert shown in written.text, used
        assert shown.replace("<", "&lt;").replace(">", "&gt;") in written.html, used
    assert written.html.count("https://podium.test/unsubscribe_link") == 1
    assert f"{STOPS}: https://podium.test/unsubscribe_link" in written.text
    assert template(name).why in written.text


@pytest.mark.parametrize("name", ALONE)
def test_what_people_wrote_never_becomes_markup_or_a_header(name: TemplateName):
    values = {one: value if one.endswith("_link") else HOSTILE for one, value in values_for(name).items()}
    written = rendered(name, values)
    assert "<b>" not in written.html
    assert 'href="https://evil.test"' not in written.html
    assert SEEN in written.html
    assert "\n" not in written.subject
    head = Letterhead(sender=_sender(), sender_name="Podium")
    message = Stationery(head).message(
        written, to=_sender(), to_name="Ada", outbox_id=UUID(int=1), moment=now(), unsubscribe=""
    )
    assert b"\r\nBcc:" not in message.split(b"\r\n\r\n")[0]


@pytest.mark.parametrize("wrong", ["Hello {{nme}}", "Hello {{verdict}}"])
def test_a_variable_that_a_template_may_not_use_is_refused(wrong: str, monkeypatch: pytest.MonkeyPatch):
    def read(name: TemplateName) -> template_files.Template:
        return template_files.Template(name, subject="S", in_brief="B", why="W.", body=wrong)

    monkeypatch.setattr("podium.platform.mail.news_letters.template", read)
    with pytest.raises(InvalidInput, match="no variable"):
        rendered(TemplateName.PHASE_OPENS, {})


def _sender():  # type: ignore[no-untyped-def]  # noqa: ANN202
    from podium.platform.mail.addresses import mail_address  # noqa: PLC0415

    found = mail_address("podium@podium.test")
    assert found is not None
    return found


def news(name: TemplateName, of: int | None, **values: str) -> Told:
    title = {} if of is None else {"competition": f"<i>{of}</i>"}
    return Told(name, None if of is None else UUID(int=of), {**values_for(name), **title, **values})


def digest(*told: Told) -> Written:
    made, values = digest_wording(told)
    return made.written({**values_for(TemplateName.DIGEST), **values, "day": "2026-05-31", "name": "Ada"})


def test_a_digest_tells_all_news_by_competition_each_in_its_own_words():
    written = digest(
        *(news(name, 2) for name in ALONE if template(name).in_brief and name not in OF_NO_COMPETITION),
        news(TemplateName.PHASE_OPENS, 1, phase="*Final* <b>{{count}}</b>", closes="tomorrow"),
        news(TemplateName.PHASE_OPENS, 1, phase="First", closes="never"),
        news(TemplateName.AGENT_LOST, None),
    )
    assert written.subject == "News of 2026-05-31 from Podium"
    assert "{{" not in written.text.replace("{{count}}", "")
    order = [
        written.text.index(words) for words in ("<i>1</i>", "*Final*", "First is open", "<i>2</i>", "Podium\n\n- ")
    ]
    assert order == sorted(order)
    assert "*Final* &lt;b&gt;{{count}}&lt;/b&gt; is open. It closes: tomorrow" in written.html
    assert '<a href="https://podium.test/competition_link">&lt;i&gt;1&lt;/i&gt;</a>' in written.html
    assert written.text.count("\n- ") == 8 + 3


def test_a_digest_of_more_than_anybody_reads_says_how_much_more_there_is():
    written = digest(
        *(news(TemplateName.SUBMISSION_FINISHED, 1, number=str(number), scores="acc 0.5") for number in range(400))
    )
    assert written.text.count("is scored") == SHOWN
    assert f"- and {400 - SHOWN} more" in written.text
    assert "(400)" in written.text
    many = digest(*(news(TemplateName.AGENT_LOST if not of else TemplateName.POOL_EMPTY, of) for of in range(1, 600)))
    assert f"And news of {599 - SHOWN} more competitions." in many.text
