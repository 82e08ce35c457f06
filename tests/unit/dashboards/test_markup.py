from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podium.dashboards.markup import actor_words, element, organizer_markdown, plain_markdown, sentence, text


def test_text_and_attributes_are_escaped():
    written = element("b", text("<i>&"), title='"><script>', data_x=None, aria_label="a", class_="c")
    assert written == '<b title="&quot;&gt;&lt;script&gt;" aria-label="a" class="c">&lt;i&gt;&amp;</b>'


def test_words_become_plain_markdown():
    assert plain_markdown("a *b*\n[c](d) :red[e] $f$") == r"a \*b\* \[c\]\(d\) \:red\[e\] \$f\$"


@given(st.text(alphabet="ab*_`[]()<>!$:#\\\n "))
def test_plain_markdown_loses_no_letter(words: str):
    assert plain_markdown(words).replace("\\", "") == " ".join(words.split()).replace("\\", "")


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("Win $500, or $100", r"Win \$500, or \$100"),
        (r"the error $\sqrt{x}$", r"the error $\sqrt{x}$"),
        ("$$2x$$", "$$2x$$"),
        (r"already \$5", r"already \$5"),
    ],
)
def test_money_is_no_formula(source: str, shown: str):
    assert organizer_markdown(source) == shown


@pytest.mark.parametrize(
    ("actor", "words"),
    [("person:grace", "grace"), ("bundle:01a2", "the bundle"), ("ada", "ada"), ("person:a:b", "a:b")],
)
def test_who_did_something_has_a_name(actor: str, words: str):
    assert actor_words(actor) == words


@pytest.mark.parametrize(
    ("words", "whole"), [(" A label ", "A label."), ("Why?", "Why?"), ("Done.", "Done."), ("", ""), ("  ", "")]
)
def test_peoples_words_end_like_sentences(words: str, whole: str):
    assert sentence(words) == whole
