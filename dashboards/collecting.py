"""Memory is tidied by the clock, not after each run of a page.

Streamlit can look through all objects of the process for unreachable cycles after every run. With some hundred thousand
objects of libraries around that takes longer than to draw the page, and all viewers wait for it. Cycles have to go all
the same, for they hold what sessions held, sent files among it: so it is done every `COLLECT_SECONDS`, however many
runs there were.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import streamlit as st

COLLECT_SECONDS = 30.0


@asynccontextmanager
async def collecting(_app: st.App) -> AsyncIterator[None]:
    """Collect garbage for as long as the application runs."""
    # What the server has loaded by now it keeps; there is no need to look through it again.
    gc.collect()
    gc.freeze()
    collector = asyncio.create_task(_collect())
    try:
        yield
    finally:
        collector.cancel()
        with suppress(asyncio.CancelledError):
            await collector


async def _collect() -> None:
    while True:
        await asyncio.sleep(COLLECT_SECONDS)
        gc.collect()
