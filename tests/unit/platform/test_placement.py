"""Which agent can run what, and what people are told where none can."""

from __future__ import annotations

import pytest

from podium.platform.placement import GIB, Needs, Offer, fits, missing, offer_of, why_unplaced

PLAIN = Offer("plain", "docker", runtimes=frozenset({"runc"}), cpus=2, memory_bytes=4 * GIB)


def test_an_agent_says_what_it_has_in_labels() -> None:
    labels = {
        "relaxations": "network,root",
        "runtimes": "runc,runsc",
        "gpus": "2",
        "cpus": "8",
        "memory_bytes": str(GIB),
        "images": "podium/python",
    }
    assert offer_of("a", "docker", labels) == Offer(
        "a", "docker", frozenset({"network", "root"}), frozenset({"runc", "runsc"}), 2, 8, GIB
    )
    assert offer_of("a", "process", {}) == Offer("a", "process")


@pytest.mark.parametrize("gpus", ["", "all", "GPU-1,GPU-2", "-1", "²"])
def test_a_label_that_is_no_number_counts_for_nothing(gpus: str) -> None:
    assert offer_of("a", "docker", {"gpus": gpus}).gpus == 0


def test_who_needs_nothing_fits_everywhere() -> None:
    assert fits(Needs(), Offer())
    assert fits(Needs(), PLAIN)


@pytest.mark.parametrize(
    ("needs", "lacks"),
    [
        (Needs(relaxations=("network",)), "allows the relaxation `network`"),
        (Needs(relaxations=("root",)), "allows the relaxation `root`"),
        (Needs(runtime="runsc"), "has the runtime `runsc`"),
        (Needs(gpus=1), "has 1 GPU"),
        (Needs(gpus=2), "has 2 GPUs"),
        (Needs(cpus=2.5), "has 2.5 cores"),
        (Needs(memory_bytes=6 * GIB), "has 6 GiB of memory"),
    ],
)
def test_each_thing_that_lacks_has_words(needs: Needs, lacks: str) -> None:
    assert missing(needs, PLAIN) == (lacks,)
    assert why_unplaced("docker", needs, [PLAIN]) == (
        f"No agent of pool 'docker' {lacks}; it is scored as soon as one does."
    )


def test_images_of_participants_are_for_containers() -> None:
    assert missing(Needs(containers=True), Offer(executor="process")) == ("runs containers",)
    assert fits(Needs(containers=True), PLAIN)


def test_a_runtime_with_a_network_of_its_own_can_not_have_a_way_out() -> None:
    offer = Offer("a", "docker", frozenset({"network"}), frozenset({"runc", "runsc"}))
    assert fits(Needs(relaxations=("network",), runtime="runc"), offer)
    (lacks,) = missing(Needs(relaxations=("network",), runtime="runsc"), offer)
    assert "network of its own" not in lacks
    assert "can relax the network under the runtime `runsc`" in lacks


def test_what_the_agent_has_is_enough() -> None:
    rich = Offer("r", "docker", frozenset({"network", "root"}), frozenset({"runsc", "runc"}), 2, 8, 16 * GIB)
    assert fits(Needs(("root",), "runsc", 2, 8, 16 * GIB, containers=True), rich)


def test_it_is_enough_that_one_agent_fits() -> None:
    assert why_unplaced("p", Needs(gpus=1), [PLAIN, Offer("gpu", gpus=1)]) == ""
    assert why_unplaced("p", Needs(), []) == ""


def test_what_nobody_has_is_named_before_what_only_some_have_not() -> None:
    agents = [Offer("a", gpus=1), Offer("b", relaxations=frozenset({"root"}))]
    assert why_unplaced("p", Needs(relaxations=("network", "root"), gpus=1), agents) == (
        "No agent of pool 'p' allows the relaxation `network`; it is scored as soon as one does."
    )
    assert why_unplaced("p", Needs(relaxations=("root",), gpus=1), agents) == (
        "No agent of pool 'p' does all of this: it allows the relaxation `root` and has 1 GPU; "
        "it is scored as soon as one does."
    )
