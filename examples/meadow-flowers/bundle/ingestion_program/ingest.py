"""Trains and asks a submitted model: python3 ingest.py INPUT OUTPUT SUBMISSION, by Codabench's contract.

A submission without `model.py` is one of predictions, which lie in OUTPUT already: there is nothing to do.
"""

import csv
import importlib.util
import sys
import time
from pathlib import Path

MEASUREMENTS = ("stem_cm", "leaf_mm", "petal_mm", "bloom_day")


def main() -> None:
    """Write OUTPUT/predictions.csv, if the submission has a model."""
    data, output, submission = map(Path, sys.argv[1:4])
    if not (submission / "model.py").is_file():
        print("No model.py: predictions are taken as they were submitted.")
        return
    model = load_model(submission)
    training = read_table(data / "training.csv")
    began = time.monotonic()
    model.fit([measured(row) for row in training], [row["species"] for row in training])
    print(f"Trained on {len(training)} plants in {time.monotonic() - began:.2f} s")
    began = time.monotonic()
    plants = [measured(row) for row in read_table(data / "flowers.csv")]
    species = list(model.predict(plants))
    print(f"Named {len(species)} of {len(plants)} plants in {time.monotonic() - began:.2f} s")
    with (output / "predictions.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("species",), *((name,) for name in species)])


def load_model(submission: Path):  # noqa: ANN201  whatever the participant wrote
    """An instance of the submission's class `Model`."""
    sys.path.insert(0, str(submission))
    spec = importlib.util.spec_from_file_location("model", submission / "model.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if not hasattr(module, "Model"):
        sys.exit("model.py has no class Model.")
    return module.Model()


def read_table(path: Path) -> list[dict[str, str]]:
    """The rows of a table."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def measured(row: dict[str, str]) -> list[float]:
    """A plant's measurements."""
    return [float(row[name]) for name in MEASUREMENTS]


if __name__ == "__main__":
    main()
