"""Names a plant like most of the plants that resemble it most."""

from collections import Counter
from statistics import mean, stdev

NEIGHBOURS = 15


class Model:
    """k nearest neighbours, with every measurement on the same scale."""

    def fit(self, plants: list[list[float]], species: list[str]) -> None:
        """Remember the plants."""
        columns = list(zip(*plants, strict=True))
        self.scale = [(mean(column), stdev(column)) for column in columns]
        self.known = [(self._scaled(plant), name) for plant, name in zip(plants, species, strict=True)]

    def predict(self, plants: list[list[float]]) -> list[str]:
        """Name plants."""
        return [self._name(self._scaled(plant)) for plant in plants]

    def _scaled(self, plant: list[float]) -> list[float]:
        return [(value - middle) / spread for value, (middle, spread) in zip(plant, self.scale, strict=True)]

    def _name(self, plant: list[float]) -> str:
        nearest = sorted(
            (sum((a - b) ** 2 for a, b in zip(plant, other, strict=True)), name) for other, name in self.known
        )
        return Counter(name for _, name in nearest[:NEIGHBOURS]).most_common(1)[0][0]
