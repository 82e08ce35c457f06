"""The script that Streamlit runs, once for every visit and change.

It lies in this folder because Streamlit takes a folder `pages` beside its script for pages of its older kind, and
would serve each module here by its file's name.
"""

from __future__ import annotations

from podium.dashboards.app import main

if __name__ == "__main__":
    main()
