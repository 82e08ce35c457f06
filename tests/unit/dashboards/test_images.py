"""The pages of images, run by Streamlit's own test harness over the stand-in gateway."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from stand_in import StandIn, make_competition, make_person, make_submission, moment
from stand_in_images import DATASET, flagged, make_file, make_image, make_session
from streamlit.testing.v1 import AppTest

from podium.dashboards.slice_figure import legend, slice_figure
from podium.platform.client.slices import SlicePicture
from podium.platform.errors import PlatformFault, TooManyRequests
from podium.platform.lifecycle import ImportOutcome, ImportStatus, SubmissionStatus
from podium.platform.records.organizing import DatasetUse
from podium.platform.records.slices import SegmentRecord, ViewRecord, WindowRecord

Visit = Callable[..., AppTest]
TRUNK, ORGANS = make_image("trunk").id, make_image("organs").id


def _html(test: AppTest) -> str:
    return "\n".join(element.proto.body for element in test.get("html"))


@pytest.fixture
def imaged(stand_in: StandIn) -> StandIn:
    """A dataset of ada's, with a trunk and a segmentation of it."""
    stand_in.people["ada"] = make_person("ada")
    stand_in.images.fill()
    return stand_in


def _view(visit: Visit, image: object = TRUNK, **query: str) -> AppTest:
    return visit("image", "ada", image=str(image), **query)


def test_visitors_are_asked_to_sign_in(stand_in: StandIn, visit: Visit):
    assert "Sign in to see images" in _html(visit("images", dataset=str(DATASET)))
    assert "Sign in to see images" in _html(visit("image", image=str(TRUNK)))


def test_who_comes_without_an_address_is_told_the_way(imaged: StandIn, visit: Visit):
    assert "No dataset or submission chosen" in _html(visit("images", "ada"))
    assert "No dataset or submission chosen" in _html(visit("images", "ada", dataset="none"))
    assert "No image chosen" in _html(visit("image", "ada"))


def test_images_are_listed_with_pictures_and_flags(imaged: StandIn, visit: Visit):
    imaged.images.images[1] = flagged(imaged.images.images[1])
    test = visit("images", "ada", dataset=str(DATASET))
    html = _html(test)
    assert "dataset scans.zip" in html
    assert html.count("data:image/png;base64,") == 2
    assert 'title="2 of its files are damaged and left out."' in html
    assert "96 \u00d7 96 \u00d7 40, 4 \u00d7 4 \u00d7 10 mm" in html
    assert "2 images" in [caption.value for caption in test.caption]


def test_a_dataset_without_images_says_how_to_import_some(imaged: StandIn, visit: Visit):
    imaged.images.images.clear()
    imaged.images.sessions.clear()
    test = visit("images", "ada", dataset=str(DATASET))
    assert "No image yet" in _html(test)
    assert test.code[0].value == f"podium images import SCANS/ --dataset {DATASET}"
    assert "Nothing was imported yet." in [caption.value for caption in test.caption]


def test_what_is_somebody_else_s_is_not_there(imaged: StandIn, visit: Visit):
    assert "There is no such dataset" in _html(visit("images", "ada", dataset=str(TRUNK)))
    assert "There is no such image" in _html(_view(visit, DATASET))


def test_every_file_has_its_end_in_the_report(imaged: StandIn, visit: Visit):
    test = visit("images", "ada", dataset=str(DATASET))
    html = _html(test)
    assert "2 \u00d7 missing slices, 1 \u00d7 truncated" in html
    for words in ("patient-7/slice-004.dcm", "one is missing.", "Upload the whole series.", "Also: Its header says"):
        assert words in html
    assert "a &lt;b&gt;bold&lt;/b&gt; name.nii.gz" in html
    assert "left behind by a system" not in html
    test.button_group[0].set_value(ImportOutcome.IGNORED).run()
    assert "left behind by a system" in _html(test)
    test.button_group[0].set_value(ImportOutcome.IMAGE).run()
    assert "organs.mha" in _html(test)


def test_a_report_is_accepted_after_a_question(imaged: StandIn, visit: Visit):
    test = visit("images", "ada", dataset=str(DATASET))
    next(button for button in test.button if button.label == "Accept the report").click().run()
    assert "also the files that were rejected" in _html(test)
    assert imaged.done == []
    next(button for button in test.button if button.label == "Accept it").click().run()
    session = imaged.images.sessions[0]
    assert imaged.done == [("POST", f"/import-sessions/{session.id}/accept", {})]
    assert "The report is accepted." in _html(test)
    assert session.status is ImportStatus.ACCEPTED


def test_what_was_rejected_is_tried_again_while_uploads_are_kept(imaged: StandIn, visit: Visit):
    test = visit("images", "ada", dataset=str(DATASET))
    next(button for button in test.button if button.label == "Try the rejected files again").click().run()
    assert imaged.images.sessions[0].status is ImportStatus.QUEUED
    imaged.images.sessions[0] = make_session(kept=False)
    labels = [button.label for button in visit("images", "ada", dataset=str(DATASET)).button]
    assert "Try the rejected files again" not in labels


def test_an_import_under_way_and_one_that_failed(imaged: StandIn, visit: Visit):
    imaged.images.sessions[:] = [
        make_session(ImportStatus.IMPORTING, step="imported", done=30, total=120, images=0, rejected=0, ignored=0),
        make_session(ImportStatus.FAILED, message="There is no room left", id=ORGANS),
    ]
    html = _html(visit("images", "ada", dataset=str(DATASET)))
    assert 'aria-valuenow="30"' in html
    assert "30 of 120 imported" in html
    assert "There is no room left." in html


def test_an_image_is_cut_in_the_middle_and_in_its_own_window(imaged: StandIn, visit: Visit):
    test = _view(visit)
    html = _html(test)
    assert 'alt="Axial slice 21 of 40; right on the left, front at the top"' in html
    assert "level 40, width 400" in html
    assert "96 \u00d7 96 \u00d7 40" in html
    assert imaged.images.asked == [("slices/z/20", {"window": "400.0", "level": "40.0", "size": "1024"})]
    test.slider(f"slice-of-{TRUNK}-z").set_value(1).run()
    assert "Axial slice 1 of 40" in _html(test)
    assert imaged.images.asked[-1][0] == "slices/z/0"
    # What was seen is not asked for again.
    test.slider(f"slice-of-{TRUNK}-z").set_value(21).run()
    assert len(imaged.images.asked) == 2


def test_all_three_views_at_once(imaged: StandIn, visit: Visit):
    test = _view(visit)
    test.button_group(f"view-{TRUNK}").set_value("All three").run()
    assert [place for place, _ in imaged.images.asked[1:]] == ["slices/z/20", "slices/y/48", "slices/x/48"]
    html = _html(test)
    assert 'alt="Coronal slice 49 of 96; right on the left, head at the top"' in html
    assert 'alt="Sagittal slice 49 of 96; front on the left, head at the top"' in html


def test_windows_are_chosen_by_name_or_by_hand(imaged: StandIn, visit: Visit):
    test = _view(visit)
    box = test.selectbox(f"window-{TRUNK}")
    assert box.options == [
        "As its file says (40 / 400)",
        "Brain (40 / 80)",
        "Lung (-600 / 1,500)",
        "Bone (480 / 2,500)",
        "Abdomen (60 / 400)",
        "All values",
        "Own level and width",
    ]
    box.set_value("lung").run()
    assert imaged.images.asked[-1][1] == {"window": "1500.0", "level": "-600.0", "size": "1024"}
    test.selectbox(f"window-{TRUNK}").set_value("auto").run()
    assert imaged.images.asked[-1][1] == {"auto": "true", "size": "1024"}
    test.selectbox(f"window-{TRUNK}").set_value("lung").run()
    test.selectbox(f"window-{TRUNK}").set_value("own").run()
    # It begins with what was shown.
    assert (test.slider(f"level-{TRUNK}").value, test.slider(f"width-{TRUNK}").value) == (-600, 1500)
    test.slider(f"level-{TRUNK}").set_value(-500.0).run()
    assert imaged.images.asked[-1][1]["level"] == "-500.0"
    assert "level -500, width 1,500" in _html(test)


def test_a_segmentation_lies_over_it_with_a_legend(imaged: StandIn, visit: Visit):
    test = _view(visit)
    assert test.selectbox(f"overlay-{TRUNK}").options == ["None", "organs", "Another one, by its id"]
    test.selectbox(f"overlay-{TRUNK}").set_value(str(ORGANS)).run()
    assert imaged.images.asked[-1][1]["overlay"] == str(ORGANS)
    assert imaged.images.asked[-1][1]["opacity"] == "0.5"
    html = _html(test)
    for label in (1, 2, 3):
        assert f"Label {label}" in html
    test.slider(f"opacity-{TRUNK}").set_value(80).run()
    assert imaged.images.asked[-1][1]["opacity"] == "0.8"


def test_a_segmentation_of_elsewhere_is_named_by_its_id(imaged: StandIn, visit: Visit):
    test = _view(visit)
    test.selectbox(f"overlay-{TRUNK}").set_value("elsewhere").run()
    test.text_input(f"overlay-id-{TRUNK}").set_value("nonsense").run()
    assert "That is no id" in _html(test)
    test.text_input(f"overlay-id-{TRUNK}").set_value(str(ORGANS)).run()
    assert imaged.images.asked[-1][1]["overlay"] == str(ORGANS)
    assert _view(visit, overlay=str(ORGANS)).selectbox(f"overlay-{TRUNK}").value == str(ORGANS)


def test_what_does_not_fit_takes_nothing_from_the_image(imaged: StandIn, visit: Visit):
    test = _view(visit)
    test.selectbox(f"overlay-{TRUNK}").set_value("elsewhere").run()
    test.text_input(f"overlay-id-{TRUNK}").set_value(str(DATASET)).run()
    html = _html(test)
    assert "You have no image of that id." in html
    assert "Axial slice 21 of 40" in html


@pytest.mark.parametrize(
    "fault",
    [
        TooManyRequests("This image is being unpacked.", remedy="Try again in a few seconds.", retry_after=3),
        PlatformFault("The process that reads images has ended."),
    ],
)
def test_a_slice_that_can_t_be_had_says_why_and_is_tried_again(fault: Exception, imaged: StandIn, visit: Visit):
    imaged.images.fault = fault  # type: ignore[assignment]
    test = _view(visit)
    assert fault.detail in _html(test)  # type: ignore[attr-defined]
    imaged.images.fault = None
    next(button for button in test.button if button.label == "Try again").click().run()
    assert "Axial slice 21 of 40" in _html(test)


def test_time_points_have_a_slider(imaged: StandIn, visit: Visit):
    film = make_image("film", timepoints=3, depth=4)
    imaged.images.add(film, np.zeros((3, 4, 8, 8), np.int16))
    test = _view(visit, film.id)
    assert test.slider(f"time-of-{film.id}").label == "Time point"
    test.slider(f"time-of-{film.id}").set_value(3).run()
    assert imaged.images.asked[-1][1]["time"] == "2"


def test_flags_and_metadata_are_told(imaged: StandIn, visit: Visit):
    imaged.images.images[0] = flagged(imaged.images.images[0])
    test = _view(visit)
    html = _html(test)
    assert "2 of its files are damaged and left out." in html
    assert "1 0 0; 0 1 0; 0 0 1" in html
    assert "PatientName, PatientID" in " ".join(caption.value for caption in test.caption)
    assert "trunk.mha" in html


def test_a_submission_leads_to_its_images(imaged: StandIn, visit: Visit):
    imaged.add(make_competition())
    submission = make_submission(SubmissionStatus.FINISHED)
    imaged.submissions["iris"] = [submission]
    labels = [link.proto.label for link in visit("submissions", "ada", competition="iris").get("page_link")]
    assert "2 images" not in labels
    imaged.images.submissions.add(submission.id)
    links = visit("submissions", "ada", competition="iris").get("page_link")
    (found,) = [link.proto for link in links if link.proto.label == "2 images"]
    assert f"submission={submission.id}" in found.query_string


def test_datasets_lead_to_their_images(imaged: StandIn, visit: Visit):
    imaged.people["ada"] = make_person("ada", may_organize=True)
    imaged.add(make_competition(may_organize=True))
    used = DatasetUse(DATASET, "input_data", "scans.zip", 10, "0" * 64, moment(days=1), is_current=True, used=("x",))
    others = [
        replace(used, id=TRUNK, kind="reference_data"),
        replace(used, id=ORGANS, name="truth.zip"),
        replace(used, kind="scoring_program"),
        replace(used, is_current=False),
    ]
    imaged.organized.lists.datasets = [used, *others]
    links = visit("organize", "ada", competition="iris", section="tasks").get("page_link")
    found = {link.proto.label: link.proto.query_string for link in links if "Images of" in link.proto.label}
    assert found == {
        r"Images of scans\.zip \(input data\)": f"dataset={DATASET}",
        r"Images of scans\.zip \(reference data\)": f"dataset={TRUNK}",
        r"Images of truth\.zip": f"dataset={ORGANS}",
    }


def test_a_figure_says_what_lies_where_and_lets_nothing_through():
    view = ViewRecord("z", "Axial", 5, "R", "L", "A", "P", 10, 10)
    picture = SlicePicture(b"\x89PNG" + b"\0" * 20, WindowRecord("", 0.25, 0.5), (), is_resampled=False)
    html = slice_figure(picture, view, "<b>")
    assert "&lt;b&gt;; level 0.25, width 0.5" in html
    assert [html.count(f">{letter}</span>") for letter in "RLAP"] == [1] * 4
    unplaced = replace(view, left="", right="", top="", bottom="")
    assert 'class="letter' not in slice_figure(picture, unplaced, "x")
    shown = legend((SegmentRecord(1, "#e69f00"), SegmentRecord(2, "#56b4e9")), (SegmentRecord(2, "#56b4e9"),))
    assert shown.count("is in this slice") == 1
    assert legend((), ()) == ""


def test_files_of_a_page_are_cut(imaged: StandIn, visit: Visit):
    imaged.images.files = tuple(
        make_file(f"{number:03}.dcm", ImportOutcome.REJECTED, reason="truncated") for number in range(120)
    )
    test = visit("images", "ada", dataset=str(DATASET))
    assert "049.dcm" in _html(test)
    assert "050.dcm" not in _html(test)
    assert "120 files, page 1 of 3" in [caption.value for caption in test.caption]
