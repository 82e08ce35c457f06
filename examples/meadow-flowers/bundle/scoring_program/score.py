"""Scores named flowers: python3 score.py INPUT OUTPUT, by Codabench's contract."""

import csv
import html
import json
import sys
from pathlib import Path


def main() -> None:
    """Compare INPUT/res with INPUT/ref; write the scores and a report to OUTPUT."""
    given, output = Path(sys.argv[1]), Path(sys.argv[2])
    truth = read_species(given / "ref" / "species.csv")
    predictions = given / "res" / "predictions.csv"
    if not predictions.is_file():
        sys.exit("The submission has neither predictions.csv nor a model.py that makes it.")
    named = read_species(predictions)
    complain(named, truth)
    counts = confusion(truth, named)
    right = {species: row[species] / sum(row.values()) for species, row in counts.items()}
    scores = {
        "accuracy": sum(one == other for one, other in zip(truth, named, strict=True)) / len(truth),
        "hardest": min(right.values()),
    }
    (output / "scores.json").write_text(json.dumps(scores))
    (output / "detailed_results.html").write_text(report(counts, right))
    print(f"{len(truth)} plants, {scores['accuracy']:.1%} named rightly")


def read_species(path: Path) -> list[str]:
    """The column `species` of a table."""
    with path.open(newline="", encoding="utf-8-sig") as file:
        table = csv.DictReader(file)
        if "species" not in (table.fieldnames or []):
            sys.exit(f"{path.name} has no column 'species'; its first line is {table.fieldnames}.")
        return [(row["species"] or "").strip() for row in table]


def complain(named: list[str], truth: list[str]) -> None:
    """End with a message where the predictions can't be scored."""
    if len(named) != len(truth):
        sys.exit(f"predictions.csv names {len(named)} plants; there are {len(truth)}.")
    known = sorted(set(truth))
    for line, species in enumerate(named, start=2):
        if species not in known:
            sys.exit(f"predictions.csv, line {line}: '{species[:40]}' is none of {', '.join(known)}.")


def confusion(truth: list[str], named: list[str]) -> dict[str, dict[str, int]]:
    """How often each species was named what."""
    known = sorted(set(truth))
    counts = {species: dict.fromkeys(known, 0) for species in known}
    for one, other in zip(truth, named, strict=True):
        counts[one][other] += 1
    return counts


def report(counts: dict[str, dict[str, int]], right: dict[str, float]) -> str:
    """The confusions as a page."""
    names = [html.escape(species.replace("_", " ")) for species in counts]
    head = "".join(f"<th>{name}</th>" for name in names)
    rows = "".join(
        f"<tr><th>{name}</th>{''.join(f'<td>{count}</td>' for count in row.values())}<td>{share:.1%}</td></tr>"
        for name, row, share in zip(names, counts.values(), right.values(), strict=True)
    )
    return (
        "<!doctype html><meta charset='utf-8'><title>Meadow flowers</title>"
        "<style>body{font-family:sans-serif}td,th{padding:.3em .8em;text-align:right}</style>"
        f"<h1>Named as ...</h1><table><tr><th></th>{head}<th>rightly</th></tr>{rows}</table>"
    )


if __name__ == "__main__":
    main()
