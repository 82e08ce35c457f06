"""Computed columns of a CodaLab bundle: over the ranks in other columns."""

from __future__ import annotations

import math
from dataclasses import replace

from podium.platform.bundles.content import Computation
from podium.platform.bundles.fields import Section, Value, did_you_mean
from podium.platform.bundles.findings import shown
from podium.platform.bundles.yaml_source import Scalar

COMPUTED_FIELDS = ("operation", "fields", "weights")
COMPUTATIONS = {"avg": Computation.AVERAGE_RANK, "mrr": Computation.MEAN_RECIPROCAL_RANK}


def read_computed(section: Section) -> tuple[Computation | None, tuple[str, ...], tuple[float, ...]]:
    """Read how a column is computed: the operation, the keys of the columns that it is made from, and their weights.

    All of it is empty for a column that is not computed.
    """
    value = section.value("computed")
    computed = value.section("a computed column", COMPUTED_FIELDS) if value else None
    if computed is None:
        return None, (), ()
    computation = _operation(computed)
    fields = computed.required("fields", "Name the columns that it is made from, such as `accuracy, loss`.")
    sources = tuple(dict.fromkeys(part.text() or "" for part in _parts(fields)))
    if fields and not sources:
        fields.error("`fields` names no column.", "Name the columns that it is made from, such as `accuracy, loss`.")
    return computation, sources, _weights(computed, computation, len(sources))


def _operation(computed: Section) -> Computation | None:
    value = computed.required("operation", "Write `Avg` or `MRR`.")
    word = (value.text() or "") if value else ""
    computation = COMPUTATIONS.get(word.casefold())
    if value and word and computation is None:
        value.error(f"{shown(word)} is no operation; `Avg` and `MRR` are.", did_you_mean(word, ("Avg", "MRR")))
    return computation


def _weights(computed: Section, computation: Computation | None, sources: int) -> tuple[float, ...]:
    value = computed.value("weights")
    if value is None:
        return ()
    weights = [weight for part in _parts(value) if (weight := part.decimal()) is not None]
    if not weights:
        return ()
    if computation is Computation.MEAN_RECIPROCAL_RANK:
        value.warning("`MRR` has no weights; these are ignored, as CodaLab does.")
        return ()
    if len(weights) != sources:
        value.error(
            f"The number of weights ({len(weights)}) is not that of the fields ({sources}).", "Give each field one."
        )
    elif not math.isclose(sum(weights), 1, abs_tol=1e-6):
        value.warning(
            f"The weights add up to {sum(weights):g}: the column is the weighted sum of the ranks, as on CodaLab.",
            "For an average, let them add up to 1.",
        )
    return tuple(weights)


def _parts(value: Value | None) -> tuple[Value, ...]:
    """Split a text at its commas; a list will do as well."""
    if value is None:
        return ()
    if not isinstance(value.node, Scalar):
        return value.items()
    texts = [text.strip() for text in value.node.text.split(",")]
    return tuple(replace(value, node=Scalar(value.line, text, "str")) for text in texts if text)
