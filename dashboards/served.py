"""The script that `streamlit run` is given: the pages, as an application with Podium's headers."""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware

from podium.dashboards.headers import PageHeaders
from podium.dashboards.upload_door import UploadDoor

app = st.App(Path(__file__).parent / "pages" / "entry.py", middleware=[Middleware(PageHeaders), Middleware(UploadDoor)])
