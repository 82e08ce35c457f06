"""Finds the maker of saved images, which tests against a real engine use too."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "integration" / "support"))
