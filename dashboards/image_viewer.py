"""Looking at an image: slices along its axes, in a window, at a time point, with a segmentation over them.

All of it is one fragment: a slider that moves draws this and nothing else anew.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast
from uuid import UUID

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from podium.dashboards import layout, session, source
from podium.dashboards.markup import Html, element, text
from podium.dashboards.session import Viewer
from podium.dashboards.slice_figure import empty_figure, legend, number_text, slice_figure
from podium.platform.client.slices import SlicePicture
from podium.platform.errors import InvalidInput, PodiumError
from podium.platform.records.images import ImageRecord
from podium.platform.records.slices import ImageViews, SegmentRecord, ViewRecord, WindowRecord

_ALL = "All three"
_AUTO, _OWN, _SUGGESTED = "auto", "own", "suggested"
_NONE, _ELSEWHERE = "none", "elsewhere"
_REMEMBERED = 48
_SIZE, _SMALL_SIZE = 1024, 512
_STEPS = 200
_KEY = "podium-slices"


@dataclass(frozen=True, slots=True)
class _Wish:
    """How all slices are to be seen."""

    image: UUID
    time: int
    window: float | None
    level: float | None
    auto: bool
    overlay: UUID | None
    opacity: float
    size: int


@st.fragment
def show_viewer(image: ImageRecord, views: ImageViews, others: Sequence[ImageRecord]) -> None:
    """Show the slices of an image, with all that changes how they are seen.

    Args:
        others: Segmentations that may lie over it.
    """
    who = session.viewer()
    if who is None:
        return
    shown = _choose_views(views)
    is_all = len(shown) > 1
    with st.container(key="viewer"):
        if is_all:
            left, below = st.container(), st.container()
            first, second, third = below.columns(3, gap="medium")
            places = (first, second, third)
        else:
            left, right = st.columns([3, 1.35], gap="medium")
            places = (right.container(), right.container(), right.container())
        wish = _choose(image, views, others, places[:2], size=_SMALL_SIZE if is_all else _SIZE)
        told = places[2]
        with left:
            pictures = _show_slices(shown, views, wish, who)
    with told:
        _tell(views, wish, [picture for picture in pictures if picture is not None], who)


def _choose_views(views: ImageViews) -> tuple[ViewRecord, ...]:
    by_name = {view.name: view for view in views.views}
    if len(by_name) == 1:
        return views.views
    options = [*by_name, _ALL]
    key = f"view-{views.image}"
    if st.session_state.get(key) not in options:
        st.session_state[key] = options[0]
    chosen = str(st.segmented_control("View", options, required=True, key=key, label_visibility="collapsed"))
    return (by_name[chosen],) if chosen in by_name else views.views


def _show_slices(shown: Sequence[ViewRecord], views: ImageViews, wish: _Wish, who: Viewer) -> list[SlicePicture | None]:
    pictures = []
    for place, view in zip(st.columns(len(shown)) if len(shown) > 1 else (st.container(),), shown, strict=True):
        with place, st.container(key=f"slice-{view.axis}", gap="xsmall"):
            # Above the slice: below, it would be out of sight on a small screen.
            pictures.append(_show_slice(view, _choose_slice(views, view), wish, who))
    return pictures


def _choose_time(views: ImageViews) -> int:
    if views.timepoints == 1:
        return 0
    # A series of masks has one of them for each label.
    is_masks = len(views.segments) == views.timepoints
    words = "Mask" if is_masks else "Time point"
    key = f"time-of-{views.image}"
    return int(st.slider(words, 1, views.timepoints, key=key, format=f"%d of {views.timepoints}")) - 1


def _choose_slice(views: ImageViews, view: ViewRecord) -> int:
    key = f"slice-of-{views.image}-{view.axis}"
    if view.slices == 1:
        return 0
    if key not in st.session_state:
        st.session_state[key] = view.slices // 2 + 1
    return int(st.slider(f"{view.name} slice", 1, view.slices, key=key, format=f"%d of {view.slices}")) - 1


def _show_slice(view: ViewRecord, index: int, wish: _Wish, who: Viewer) -> SlicePicture | None:
    words = f"{view.name} slice {index + 1} of {view.slices}" if view.slices > 1 else view.name
    found = _slice(view, index, wish, who)
    if isinstance(found, PodiumError) and isinstance(found, InvalidInput) and wish.overlay is not None:
        # What can't be laid over it takes nothing from the image.
        layout.inline(layout.notice(found.detail, kind="warning"))
        found = _slice(view, index, _without_overlay(wish), who)
    if isinstance(found, PodiumError):
        layout.inline(empty_figure(f"{found.detail} {found.remedy}".strip()))
        st.button("Try again", icon=":material/refresh:", key=f"again-{view.axis}")
        return None
    layout.inline(slice_figure(found, view, words))
    return found


def _without_overlay(wish: _Wish) -> _Wish:
    return _Wish(wish.image, wish.time, wish.window, wish.level, wish.auto, None, wish.opacity, wish.size)


def _slice(view: ViewRecord, index: int, wish: _Wish, who: Viewer) -> SlicePicture | PodiumError:
    """A slice; those that were seen last are not asked for again."""
    known: OrderedDict[object, SlicePicture] = st.session_state.setdefault(_KEY, OrderedDict())
    key = (view.axis, index, wish)
    if key in known:
        known.move_to_end(key)
        return known[key]
    answer = source.ask(
        lambda: who.patient_gateway.image_slice(
            wish.image,
            view.axis,
            index,
            time=wish.time,
            window=wish.window,
            level=wish.level,
            auto=wish.auto,
            overlay=wish.overlay,
            opacity=wish.opacity,
            size=wish.size,
        )
    )
    if answer.value is None:
        return cast("PodiumError", answer.trouble)
    known[key] = answer.value
    while len(known) > _REMEMBERED:
        known.popitem(last=False)
    return answer.value


def _choose(
    image: ImageRecord,
    views: ImageViews,
    others: Sequence[ImageRecord],
    places: Sequence[DeltaGenerator],
    *,
    size: int,
) -> _Wish:
    window, is_auto = None, False
    with places[0]:
        time = _choose_time(views)
        if not views.is_colour:
            window, is_auto = _choose_window(views, is_whole=image.value_type[0] in "iu")
    with places[1]:
        overlay, opacity = _choose_overlay(image, others)
    return _Wish(
        image.id,
        time,
        None if window is None else window.width,
        None if window is None else window.center,
        is_auto,
        overlay,
        opacity,
        size,
    )


def _choose_window(views: ImageViews, *, is_whole: bool) -> tuple[WindowRecord | None, bool]:
    by_name = {window.name: window for window in views.windows}
    options = [*by_name, _AUTO, _OWN]
    key = f"window-{views.image}"
    if st.session_state.get(key) not in options:
        st.session_state[key] = _SUGGESTED if _SUGGESTED in by_name else _AUTO
    chosen = str(
        st.selectbox(
            "Window",
            options,
            format_func=lambda name: _window_words(name, by_name),
            key=key,
            on_change=_begin_with_shown,
            args=(views,),
            help="Which values are told apart: those below are black, those above white.",
        )
    )
    with st.container(key="own-window"):
        if chosen == _OWN:
            return _choose_own_window(views, is_whole=is_whole), False
    return by_name.get(chosen), chosen == _AUTO


def _window_words(name: str, by_name: dict[str, WindowRecord]) -> str:
    if name == _AUTO:
        return "All values"
    if name == _OWN:
        return "Own level and width"
    words = "As its file says" if name == _SUGGESTED else name.capitalize()
    window = by_name.get(name)
    return words if window is None else f"{words} ({number_text(window.center)} / {number_text(window.width)})"


def _begin_with_shown(views: ImageViews) -> None:
    """In a callback: own values begin with those that are shown."""
    shown: WindowRecord | None = st.session_state.get(_shown_key(views))
    if st.session_state.get(f"window-{views.image}") == _OWN and shown is not None:
        st.session_state[f"level-{views.image}"] = shown.center
        st.session_state[f"width-{views.image}"] = shown.width


def _choose_own_window(views: ImageViews, *, is_whole: bool) -> WindowRecord:
    low, high = (views.low, views.high) if views.low is not None and views.high is not None else (-1000.0, 3000.0)
    reach = max(high - low, 1.0 if is_whole else 1e-6)
    step = float(max(1, round(reach / _STEPS))) if is_whole else reach / _STEPS
    level_key, width_key = f"level-{views.image}", f"width-{views.image}"
    st.session_state.setdefault(level_key, (low + high) / 2)
    st.session_state.setdefault(width_key, reach)
    pattern = "%.0f" if is_whole else "%.4g"
    # A window of a header may lie beyond the values that there are.
    ends = min(low, st.session_state[level_key]), max(high, st.session_state[level_key])
    level = st.slider("Level", *ends, step=step, key=level_key, format=pattern)
    widest = max(reach, st.session_state[width_key])
    narrowest = min(step, st.session_state[width_key])
    width = st.slider("Width", narrowest, widest, step=step, key=width_key, format=pattern)
    return WindowRecord(_OWN, float(level), float(width))


def _choose_overlay(image: ImageRecord, others: Sequence[ImageRecord]) -> tuple[UUID | None, float]:
    names = {str(one.id): one.name for one in others}
    key = f"overlay-{image.id}"
    options = [_NONE, *names, _ELSEWHERE]
    if st.session_state.get(key) not in options:
        st.session_state[key] = _NONE
    chosen = str(
        st.selectbox(
            "Segmentation over it",
            options,
            format_func=lambda name: {_NONE: "None", _ELSEWHERE: "Another one, by its id"}.get(
                name, names.get(name, name)
            ),
            key=key,
        )
    )
    with st.container(key="overlay-choice"):
        if chosen == _NONE:
            return None, 0.5
        overlay = _by_id(image) if chosen == _ELSEWHERE else UUID(chosen)
        if overlay is None:
            return None, 0.5
        opacity = st.slider("Opacity", 0, 100, 50, step=5, key=f"opacity-{image.id}", format="%d %%")
    return overlay, opacity / 100


def _by_id(image: ImageRecord) -> UUID | None:
    written = str(st.text_input("Id of an image", key=f"overlay-id-{image.id}", max_chars=60)).strip()
    if not written:
        return None
    try:
        return UUID(written)
    except ValueError:
        layout.inline(layout.notice("That is no id, such as `podium images list` shows.", kind="warning"))
        return None


def _tell(views: ImageViews, wish: _Wish, pictures: Sequence[SlicePicture], who: Viewer) -> None:
    """The legend of what is seen, and what is to be known of it."""
    if pictures:
        st.session_state[_shown_key(views)] = pictures[0].window
    segments: tuple[SegmentRecord, ...] = ()
    present = [segment for picture in pictures for segment in picture.segments]
    if wish.overlay is not None:
        segments = _segments_of(wish.overlay, who)
    parts: list[Html] = []
    if wish.overlay is not None and pictures:
        parts.append(legend(segments, present) or element("p", text("No label in this slice."), class_="podium-quiet"))
    if any(picture.is_resampled for picture in pictures):
        parts.append(
            layout.notice("The segmentation is on another grid: of each voxel, the nearest one of it is shown.")
        )
    if parts:
        layout.inline(*parts)


def _segments_of(overlay: UUID, who: Viewer) -> tuple[SegmentRecord, ...]:
    known: dict[UUID, tuple[SegmentRecord, ...]] = st.session_state.setdefault("podium-segments", {})
    if overlay not in known:
        answer = source.ask(lambda: who.gateway.image_views(overlay))
        if answer.value is None:
            return ()
        known[overlay] = answer.value.segments
    return known[overlay]


def _shown_key(views: ImageViews) -> str:
    return f"shown-window-{views.image}"
