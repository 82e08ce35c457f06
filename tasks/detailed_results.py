"""The page that a scoring program writes for people: found in its output, and shown while the program still runs."""

from __future__ import annotations

import hashlib
import logging
import os
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path

from podium.platform.errors import PodiumError
from podium.platform.jobs import SignedRequest
from podium.tasks.gateway import Transfers
from podium.tasks.output_rules import OutputRefused, is_unfit
from podium.tasks.output_tree import open_file, opened_folder

logger = logging.getLogger(__name__)
NAME = "detailed_results.html"
LOOK_SECONDS = 2.0
"""How often the page of a running program is looked at."""
_NAMES = 10_000
"""Names of the folder that are looked at: a program can make more of them than anyone should read every few seconds."""


def first_html(source: Path) -> str | None:
    """The path inside the tree of its page: `detailed_results.html`, else the first HTML file of the top folder."""
    with opened_folder(source) as top:
        # By its name, since it may stand behind a million others.
        with suppress(FileNotFoundError):
            if stat.S_ISREG(os.stat(NAME, dir_fd=top, follow_symlinks=False).st_mode):
                return NAME
        with os.scandir(top) as entries:
            return min((entry.name for entry in islice(entries, _NAMES) if _is_page(entry)), default=None)


def _is_page(entry: os.DirEntry[str]) -> bool:
    return entry.name.lower().endswith(".html") and entry.is_file(follow_symlinks=False) and not is_unfit(entry.name)


class LivePage:
    """Uploads the page of a program that runs whenever it has changed. What it sends may be half-written.

    Args:
        output: The folder that the program writes to.
        request: Takes the page, again and again; its `max_bytes` is the most that is sent.
        scratch: A path of the host's own for the copy that is sent.
    """

    def __init__(self, output: Path, request: SignedRequest, scratch: Path, transfers: Transfers) -> None:
        self._output = output
        self._request = request
        self._scratch = scratch
        self._transfers = transfers
        self._sent = ""

    def send_if_changed(self) -> bool:
        """Send the page if it is another one than was sent last; tell whether it was.

        Raises:
            PlatformFault: The store does not take it.
        """
        content = self._content()
        digest = hashlib.sha256(content).hexdigest() if content else ""
        if not content or digest == self._sent:
            return False
        self._scratch.write_bytes(content)
        self._transfers.put(self._request, self._scratch, tries=1)
        self._sent = digest
        return True

    def _content(self) -> bytes:
        """The page; empty where there is none, or none that can be sent."""
        try:
            name = first_html(self._output)
            if name is None:
                return b""
            with open_file(self._output, name) as file:
                if file is None or file.size > (self._request.max_bytes or 0):
                    return b""
                return b"".join(file.pieces())
        except (OutputRefused, OSError):
            # It is being written, or is no plain file: at the end of the program it is looked at again, and told.
            return b""


@contextmanager
def shown_live(page: LivePage | None) -> Iterator[None]:
    """Look at the page every few seconds for as long as the block runs. That it can't be shown ends nothing."""
    if page is None:
        yield
        return
    over = threading.Event()

    def look() -> None:
        while not over.wait(LOOK_SECONDS):
            try:
                page.send_if_changed()
            except PodiumError as error:
                logger.warning("a detailed result could not be shown while it was written: %s", error)

    thread = threading.Thread(target=look, name="live-page", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
