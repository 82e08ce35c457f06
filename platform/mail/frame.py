"""What stands around a message: who sends it, why its recipient gets it, and how to stop that."""

from __future__ import annotations

from html import escape
from pathlib import Path

from podium.platform.mail.wording import Frame

_PARTS = Path(__file__).with_name("frame.html").read_text(encoding="utf-8").split("<!-- message -->")
UNSUBSCRIBE = "{{unsubscribe_link}}"


def frame(*, heading: str, why: str, link: str = "", stops: str = "") -> Frame:
    """The frame of a message.

    Args:
        heading: What stands above it, such as the competition's title.
        why: Why somebody gets it, in a sentence.
        link: Where the heading leads to.
        stops: The words of the link below by which that ends; without any there is none.
    """
    # Braces of people's own are no variables.
    shown, reason = _plain(heading), _plain(why)
    before, after = _PARTS
    title = f'<a href="{escape(link, quote=True)}" style="color:inherit">{shown}</a>' if link else shown
    end = f' <a href="{UNSUBSCRIBE}" style="color:#5b6470">{escape(stops)}</a>.' if stops else ""
    text_end = f"\n{stops}: {UNSUBSCRIBE}" if stops else ""
    return Frame(
        html_before=before.replace("<!-- title -->", title),
        html_after=after.replace("<!-- why -->", f"{reason}{end}"),
        text_after=f"\n-- \n{why.replace('{{', '{ {')}{text_end}\n",
    )


def _plain(words: str) -> str:
    return escape(words.replace("{{", "{ {"), quote=True)
