"""The script that `streamlit run` is given: the pages, as an application with Podium's headers."""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware

from podium.dashboards.browser_cookie import BrowserCookie
from podium.dashboards.collecting import collecting
from podium.dashboards.headers import PageHeaders
from podium.dashboards.provider_way import routes
from podium.dashboards.settings import read_settings
from podium.dashboards.upload_door import UploadDoor

_settings = read_settings()
app = st.App(
    Path(__file__).parent / "pages" / "entry.py",
    routes=routes(_settings),
    lifespan=collecting,
    middleware=[Middleware(PageHeaders), Middleware(BrowserCookie, settings=_settings), Middleware(UploadDoor)],
)
