"""`relaxations` of a bundle: rules of the sandbox that a competition asks to do without."""

from __future__ import annotations

from collections.abc import Callable

from podium.platform.bundles.content import CompetitionContent, Relaxations
from podium.platform.bundles.reader import BundleReading

TITLE = "title: Iris\n"


def test_nothing_is_relaxed_unless_asked(accepted: Callable[..., CompetitionContent]) -> None:
    assert accepted().relaxations == Relaxations()
    assert accepted((TITLE, f"{TITLE}relaxations:\n")).relaxations == Relaxations()


def test_network_and_root_are_asked_for_by_name(accepted: Callable[..., CompetitionContent]) -> None:
    content = accepted(
        (TITLE, f"{TITLE}relaxations:\n  network: [Data.example, 'data.example:443', a.example:80]\n  root: yes\n")
    )
    assert content.relaxations == Relaxations(network=("data.example:443", "a.example:80"), root=True)
    assert content.relaxations.in_words() == (
        (
            "Programs, those of submissions too, may connect to data.example:443, a.example:80; "
            "what they can read can leave that way."
        ),
        "Programs run as root inside of their container, without any capability.",
    )


def test_all_that_is_wrong_is_told_at_once(read: Callable[..., BundleReading]) -> None:
    wrong = "relaxations:\n  network: ['*.org', 127.0.0.1, [x]]\n  root: perhaps\n  privileged: true\n"
    problems = [str(problem) for problem in read((TITLE, TITLE + wrong)).problems]
    assert len(problems) == 5
    for part in ("wildcard", "no program may ever reach", "Expected a text", "Expected true or false", "'privileged'"):
        assert any(part in problem for problem in problems), (part, problems)
    assert any("relaxations.network[0]" in problem for problem in problems), problems


def test_an_allow_list_has_an_end(read: Callable[..., BundleReading]) -> None:
    entries = ", ".join(f"h{number}.example" for number in range(21))
    reading = read((TITLE, f"{TITLE}relaxations:\n  network: [{entries}]\n"))
    assert "21 entries; up to 20" in "".join(map(str, reading.problems))


def test_an_empty_mapping_gets_a_warning(read: Callable[..., BundleReading]) -> None:
    reading = read((TITLE, TITLE + "relaxations: {}\n"))
    assert "relaxes nothing" in "".join(map(str, reading.problems))
    assert reading.accepted().relaxations == Relaxations()
