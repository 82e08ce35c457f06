"""The calls about a competition's content, for those who organize it."""

from __future__ import annotations

from collections.abc import Mapping

from podium.platform.client.connection import Calls, segment
from podium.platform.client.conversion import record_to_json
from podium.platform.records.content import ContentPreview, ContentRecord


class ContentCalls(Calls):
    """Titles, texts, dates, limits and columns: read, looked at, and changed whole or not at all.

    Changes are values by their fields, as in `ContentEdit`; records may stand in them. What is not named stays.
    """

    def content(self, slug: str) -> ContentRecord:
        """All that may be edited of a competition, with its version."""
        return self._record(ContentRecord, "GET", _path(slug))

    def preview_content(self, slug: str, changes: Mapping[str, object]) -> ContentPreview:
        """What a change would do, and all that is wrong with it. Changes nothing."""
        body = {"changes": record_to_json(changes)}
        return self._record(ContentPreview, "POST", f"{_path(slug)}/preview", body=body, is_repeatable=True)

    def change_content(self, slug: str, changes: Mapping[str, object], *, version: str) -> ContentRecord:
        """Change the content.

        Args:
            slug: The competition.
            changes: New values by their fields; a list is given whole.
            version: `ContentRecord.version` of what the change was made to.

        Raises:
            Conflict: Somebody else has changed it since; what they did is named.
            ContentRefused: There are errors, all of them in its `problems`; nothing is changed.
        """
        body = {"changes": record_to_json(changes), "version": version}
        return self._record(ContentRecord, "PATCH", _path(slug), body=body)


def _path(slug: str) -> str:
    return f"/competitions/{segment(slug)}/content"
