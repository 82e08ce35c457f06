"""Versions 1, 1.5 and 1.8 of the bundle format, as CodaLab Competitions had them: the competition itself."""

from __future__ import annotations

from podium.platform.bundles.archive import BundleFiles
from podium.platform.bundles.content import (
    CompetitionContent,
    CompetitionType,
    PageContent,
    SubmissionRule,
    TeamRules,
)
from podium.platform.bundles.fields import Section, Value
from podium.platform.bundles.findings import Findings, shown
from podium.platform.bundles.sources import Sources
from podium.platform.bundles.v1_ignored import IGNORED_COMPETITION_FIELDS, note_ignored
from podium.platform.bundles.v1_leaderboards import read_leaderboards
from podium.platform.bundles.v1_phases import Schedule, read_phases
from podium.platform.bundles.v2 import DEFAULT_DOCKER_IMAGE, MAX_DOCKER_IMAGE_LENGTH
from podium.platform.bundles.v2_tasks import MAX_NAME_LENGTH
from podium.platform.bundles.v2_teams import MOST_MEMBERS
from podium.platform.bundles.yaml_source import Items, Mapping

COMPETITION_FIELDS = (
    "version",
    "title",
    "description",
    "image",
    "html",
    "phases",
    "leaderboard",
    "anonymous_leaderboard",
    "end_date",
    "has_registration",
    "competition_docker_image",
    "queue",
    "enable_detailed_results",
    "show_detailed_results_in_submission_panel",
    "show_detailed_results_in_leaderboard",
    "auto_run_submissions",
    "make_programs_available",
    "make_input_data_available",
    "force_submission_to_leaderboard",
    "disallow_leaderboard_modifying",
    "allow_public_submissions",
    "enable_forum",
    "enable_teams",
    "allow_teams",
    "reward",
)
PAGE_TITLES = {"overview": "Overview", "evaluation": "Evaluation", "data": "Data"}
"""Titles of the pages that every CodaLab competition has; others are called by their names."""


def looks_like_v1(root: Value) -> bool:
    """Whether a file without `version` has the shape of CodaLab's: phases by numbers, pages as `html`."""
    if not isinstance(root.node, Mapping):
        return False
    phases, boards = root.node.get("phases"), root.node.get("leaderboards")
    has_old = any(root.node.get(name) for name in ("html", "leaderboard", "competition_docker_image"))
    has_new = boards is not None or (phases is not None and isinstance(phases.value, Items))
    return (has_old and not has_new) or (phases is not None and isinstance(phases.value, Mapping))


def read_v1(root: Value, files: BundleFiles, findings: Findings) -> CompetitionContent | None:
    """Read a `competition.yaml` of CodaLab.

    Args:
        root: The whole file.
        files: The bundle that it is in.
        findings: Where problems are noted. After an error, what is returned has stand-ins and is of no use.
    """
    section = root.section("a competition of CodaLab", COMPETITION_FIELDS, IGNORED_COMPETITION_FIELDS)
    if section is None:
        return None
    note_ignored([section], IGNORED_COMPETITION_FIELDS)
    sources = Sources(files, findings, folders_for_zips=True)
    terms, pages = _pages(section, sources)
    phases = section.required("phases", "A competition needs a phase.")
    schedule = read_phases(phases, sources, section.value("end_date"))
    rule = _submission_rule(section, schedule)
    if section.value("has_registration") is None:
        section.place_of("has_registration").warning(
            "`has_registration` is missing: everyone may take part, as on CodaLab. Codabench asks for approval.",
            "Write `has_registration: true` to approve of each participant.",
        )
    board = section.required("leaderboard", "A competition needs a leaderboard.")
    return CompetitionContent(
        title=section.required_text("title", max_length=MAX_NAME_LENGTH),
        description=section.text("description"),
        image=sources.file(section.required("image", "Name a picture to be the competition's logo.")),
        terms=terms.text,
        terms_file=terms.file,
        registration_auto_approve=not section.flag("has_registration", default=False),
        docker_image=_docker_image(section),
        queue=section.text("queue") or None,
        enable_detailed_results=section.flag("enable_detailed_results", default=False),
        show_detailed_results_in_submission_panel=section.flag(
            "show_detailed_results_in_submission_panel", default=True
        ),
        show_detailed_results_in_leaderboard=section.flag("show_detailed_results_in_leaderboard", default=True),
        auto_run_submissions=section.flag("auto_run_submissions", default=True),
        can_participants_make_submissions_public=section.flag("allow_public_submissions", default=False),
        make_programs_available=section.flag("make_programs_available", default=False),
        make_input_data_available=section.flag("make_input_data_available", default=False),
        competition_type=CompetitionType.COMPETITION,
        reward=section.text("reward", max_length=MAX_NAME_LENGTH) or None,
        contact_email=None,
        forum_enabled=section.flag("enable_forum", default=False),
        fact_sheet=(),
        pages=pages,
        tasks=schedule.tasks,
        solutions=(),
        phases=schedule.phases,
        leaderboards=read_leaderboards(
            board,
            rule,
            hidden=schedule.hides_results,
            anonymous=section.flag("anonymous_leaderboard", default=False),
        ),
        end=schedule.end,
        teams=_teams(section),
    )


def _pages(section: Section, sources: Sources) -> tuple[PageContent, tuple[PageContent, ...]]:
    """Read the pages by their names, and the terms among them."""
    terms = PageContent("Terms", "", "")
    value = section.required("html", "Name the competition's pages, with `terms` among them.")
    if value is None:
        return terms, ()
    if not isinstance(value.node, Mapping):
        value.expected("pages by their names", "Write each one as `overview: overview.html`.")
        return terms, ()
    html = Section(value, value.node)
    terms = PageContent("Terms", *sources.page(html.required("terms", "Name a file with the terms.")))
    pages: list[PageContent] = []
    for entry in value.node.entries:
        if entry.key == "terms" or (place := html.value(entry.key)) is None:
            continue
        title = PAGE_TITLES.get(entry.key, entry.key)
        if len(title) > MAX_NAME_LENGTH or not title.strip():
            place.error(f"The name of a page has 1 to {MAX_NAME_LENGTH} characters; this one has {len(title)}.")
        pages.append(PageContent(title, *sources.page(place)))
    if not pages:
        value.warning("The competition has no pages: participants will find nothing to read.", "Add an `overview`.")
    return terms, tuple(pages)


def _docker_image(section: Section) -> str:
    image = section.text("competition_docker_image", max_length=MAX_DOCKER_IMAGE_LENGTH)
    if any(character.isspace() for character in image):
        section.place_of("competition_docker_image").error(
            f"{shown(image)} is not the name of an image: it has a space in it."
        )
    return image or DEFAULT_DOCKER_IMAGE


def _teams(section: Section) -> TeamRules | None:
    """Whether participants may be teams: CodaLab neither limits them nor ends the time in which they change."""
    wanted = [name for name in ("enable_teams", "allow_teams") if section.flag(name, default=False)]
    if not wanted:
        return None
    section.place_of(wanted[0]).warning(
        f"Teams are of up to {MOST_MEMBERS} here, and participants make them without an organizer's approval.",
        "In a bundle of version 2, `teams` says how many may be in one, and until when.",
    )
    return TeamRules(MOST_MEMBERS)


def _submission_rule(section: Section, schedule: Schedule) -> SubmissionRule:
    """Which submissions stand on the leaderboard, by the flags that say so."""
    forced = section.flag("force_submission_to_leaderboard", default=False)
    fixed = section.flag("disallow_leaderboard_modifying", default=False)
    if schedule.forces_best:
        return SubmissionRule.FORCE_BEST
    if forced or schedule.hides_results:
        return SubmissionRule.FORCE_LAST
    return SubmissionRule.ADD if fixed else SubmissionRule.ADD_AND_DELETE
