from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podium.dashboards.organizer_html import harmless_html

ATTACKS = [
    "<script>alert(1)</script>",
    "<SCRIPT SRC=//evil.example></SCRIPT>",
    "<img src=x onerror=alert(1)>",
    '<img src="javascript:alert(1)">',
    '<a href="javascript:alert(1)">x</a>',
    '<a href=" java\nscript:alert(1)">x</a>',
    '<a href="data:text/html,<script>alert(1)</script>">x</a>',
    "<svg onload=alert(1)><script>alert(1)</script></svg>",
    "<math><mtext><style><img src=x onerror=alert(1)></style></mtext></math>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<form action=/steal><input name=token></form>",
    "<p style='position:fixed;inset:0' onclick=alert(1) id=root class=stApp>x</p>",
    "<style>* { display: none }</style>",
    "<meta http-equiv=refresh content='0;url=//evil.example'><base href=//evil.example>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'></noscript>",
    "<textarea><img title='</textarea><img src=x onerror=alert(1)>'></textarea>",
    "<!--><img src=x onerror=alert(1)>-->",
    "<b <script>alert(1)</script>",
    "<object data=x></object><embed src=x><link rel=stylesheet href=//evil.example>",
    "<template><script>alert(1)</script></template>",
]


class _Seen(HTMLParser):
    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.balance: list[str] = []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in {"br", "hr", "img"}:
            self.balance.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.balance.pop() == tag


FORBIDDEN_TAGS = {
    "script", "style", "iframe", "object", "embed", "form", "input", "svg", "math", "meta", "base", "link", "template",
}  # fmt: skip


def _check(source: str) -> _Seen:
    seen = _Seen(harmless_html(source))
    assert not seen.tags & FORBIDDEN_TAGS
    assert not {name for name in seen.attributes if name.startswith("on")}
    assert not seen.attributes & {"style", "id", "class", "srcdoc", "name"}
    assert seen.balance == []
    return seen


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_that_can_act_survives(attack: str):
    _check(attack)
    assert "javascript" not in harmless_html(attack).replace("&lt;", "<").split("<script")[0].lower()


@given(
    st.lists(
        st.sampled_from([*ATTACKS, "<p>", "</p>", "<table><tr><td>", "<b>", "</b>", "text", "<", '"', "</div>", "<!--"])
    )
)
def test_no_mixture_of_them_does_either(parts: list[str]):
    _check("".join(parts))


def test_words_tables_pictures_and_links_stay():
    source = (
        '<h1>Data</h1><p>A <b>bold</b> <a href="https://example.org/?a=1&amp;b=2">link</a><br>'
        '<img src="https://example.org/x.png" alt="x" width="20">'
        "<table><tr><th scope=col colspan=2>a</th></tr><tr><td>1<td>2</table>"
    )
    shown = harmless_html(source)
    assert "<h1>Data</h1><p>A <b>bold</b> " in shown
    assert (
        '<a href="https://example.org/?a=1&amp;b=2" target="_blank" rel="noopener noreferrer nofollow">link</a>'
        in shown
    )
    assert '<img src="https://example.org/x.png" alt="x" width="20"' in shown
    assert '<th scope="col" colspan="2">a</th>' in shown
    _check(source)


def test_text_around_what_is_dropped_stays():
    assert harmless_html("a<script>b</script>c<custom-tag>d</custom-tag>e &lt;f&gt;") == "acde &lt;f&gt;"
