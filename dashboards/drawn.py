"""What was drawn of a record, shared by all sessions: whoever comes next is given the same text."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable

from podium.dashboards.markup import Html
from podium.platform.records.leaderboards import LeaderboardRecord

_MOST = 128
_lock = threading.Lock()
_drawn: OrderedDict[tuple[int, Hashable], tuple[LeaderboardRecord, Html]] = OrderedDict()


def drawn_once(board: LeaderboardRecord, key: Hashable, draw: Callable[[], Html]) -> Html:
    """What `draw` makes of a board, or has made of this very record before.

    Args:
        key: All that the drawing depends on besides the board.
    """
    # The record is kept with its drawing, so that no other one can come to have its identity meanwhile.
    wanted = (id(board), key)
    with _lock:
        found = _drawn.get(wanted)
        if found is not None:
            _drawn.move_to_end(wanted)
            return found[1]
    made = draw()
    with _lock:
        _drawn[wanted] = (board, made)
        while len(_drawn) > _MOST:
            _drawn.popitem(last=False)
    return made
