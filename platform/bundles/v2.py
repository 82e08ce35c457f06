"""Version 2 of the bundle format, as Codabench has it: the competition itself."""

from __future__ import annotations

import re
from collections.abc import Collection

from podium.platform.bundles.archive import BundleFiles
from podium.platform.bundles.content import CompetitionContent, CompetitionType, PageContent, TaskContent
from podium.platform.bundles.fields import Section, Value
from podium.platform.bundles.findings import Findings, shown
from podium.platform.bundles.sources import Sources
from podium.platform.bundles.v2_fact_sheet import read_fact_sheet
from podium.platform.bundles.v2_leaderboards import read_leaderboards
from podium.platform.bundles.v2_phases import read_phases
from podium.platform.bundles.v2_relaxations import read_relaxations
from podium.platform.bundles.v2_tasks import MAX_NAME_LENGTH, read_solutions, read_tasks
from podium.platform.bundles.v2_teams import read_teams
from podium.platform.bundles.windows import read_window

COMPETITION_FIELDS = (
    "version",
    "title",
    "description",
    "image",
    "terms",
    "pages",
    "tasks",
    "solutions",
    "phases",
    "leaderboards",
    "registration_auto_approve",
    "docker_image",
    "queue",
    "enable_detailed_results",
    "show_detailed_results_in_submission_panel",
    "show_detailed_results_in_leaderboard",
    "auto_run_submissions",
    "can_participants_make_submissions_public",
    "make_programs_available",
    "make_input_data_available",
    "competition_type",
    "fact_sheet",
    "reward",
    "contact_email",
    "forum_enabled",
    "relaxations",
    "start",
    "end",
    "registration_start",
    "registration_end",
    "teams",
)
PAGE_FIELDS = ("title", "file")
DEFAULT_DOCKER_IMAGE = "codalab/codalab-legacy:py37"
MAX_DOCKER_IMAGE_LENGTH = 128
MAX_EMAIL_LENGTH = 254

# Pages are numbered in some bundles; the order of the list is what counts.
_IGNORED_PAGE_FIELDS = ("index",)

_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(?:\.[^@\s.]+)+")


def read_v2(root: Value, files: BundleFiles, findings: Findings) -> CompetitionContent | None:
    """Read a version 2 `competition.yaml`.

    Args:
        root: The whole file.
        files: The bundle that it is in.
        findings: Where problems are noted. After an error, what is returned has stand-ins and is of no use.
    """
    return read_competition(root, Sources(files, findings))


def read_competition(root: Value, sources: Sources, *, phases_may_touch: bool = False) -> CompetitionContent | None:
    """Read the fields of a competition, wherever they come from.

    Args:
        root: All of them. After an error among its findings, what is returned has stand-ins and is of no use.
        sources: Finds the files and texts that they name.
        phases_may_touch: Whether a phase begins when the one before ends without a warning.
    """
    section = root.section("a competition", COMPETITION_FIELDS)
    if section is None:
        return None
    terms_file, terms = sources.page(section.required("terms", "Name a Markdown or HTML file with the terms."))
    tasks = read_tasks(section.required_items("tasks", "A competition needs a task."), sources)
    open_to_all = read_window(section, "The competition", "start", "end")
    registration = read_window(section, "The registration", "registration_start", "registration_end")
    indexes = {task.index: None for task in tasks if task.index}
    content = CompetitionContent(
        title=section.required_text("title", max_length=MAX_NAME_LENGTH),
        description=section.text("description"),
        image=sources.file(section.required("image", "Name a picture to be the competition's logo.")),
        terms=terms,
        terms_file=terms_file,
        registration_auto_approve=section.flag("registration_auto_approve", default=False),
        docker_image=_docker_image(section),
        queue=section.text("queue") or None,
        enable_detailed_results=section.flag("enable_detailed_results", default=False),
        show_detailed_results_in_submission_panel=section.flag(
            "show_detailed_results_in_submission_panel", default=True
        ),
        show_detailed_results_in_leaderboard=section.flag("show_detailed_results_in_leaderboard", default=True),
        auto_run_submissions=section.flag("auto_run_submissions", default=True),
        can_participants_make_submissions_public=section.flag("can_participants_make_submissions_public", default=True),
        make_programs_available=section.flag("make_programs_available", default=False),
        make_input_data_available=section.flag("make_input_data_available", default=False),
        competition_type=section.choice("competition_type", CompetitionType, default=CompetitionType.COMPETITION),
        reward=section.text("reward", max_length=MAX_NAME_LENGTH) or None,
        contact_email=_contact_email(section),
        forum_enabled=section.flag("forum_enabled", default=True),
        fact_sheet=read_fact_sheet(section.value("fact_sheet")),
        pages=_pages(section, sources),
        tasks=tasks,
        solutions=read_solutions(section.items("solutions"), indexes, sources),
        phases=read_phases(
            section.required_items("phases", "A competition needs a phase."),
            indexes,
            sources,
            may_touch=phases_may_touch,
        ),
        leaderboards=read_leaderboards(section.required_items("leaderboards", "A competition needs a leaderboard.")),
        relaxations=read_relaxations(section.value("relaxations")),
        start=open_to_all.start,
        end=open_to_all.end,
        registration_start=registration.start,
        registration_end=registration.end,
        teams=read_teams(section.value("teams")),
    )
    _check_tasks_used(section, content, indexes)
    _check_containers(section, content)
    return content


def _docker_image(section: Section) -> str:
    image = section.text("docker_image", max_length=MAX_DOCKER_IMAGE_LENGTH)
    if any(character.isspace() for character in image):
        section.place_of("docker_image").error(f"{shown(image)} is not the name of an image: it has a space in it.")
    return image or DEFAULT_DOCKER_IMAGE


def _contact_email(section: Section) -> str | None:
    address = section.text("contact_email", max_length=MAX_EMAIL_LENGTH)
    if address and not _EMAIL.fullmatch(address):
        section.place_of("contact_email").error(f"{shown(address)} is not an e-mail address.")
    return address or None


def _pages(section: Section, sources: Sources) -> tuple[PageContent, ...]:
    values = section.items("pages")
    if not values:
        section.place_of("pages").warning(
            "The competition has no pages: participants will find nothing to read.", "Add `pages`, with an overview."
        )
    pages: list[PageContent] = []
    for value in values:
        if page := value.section("a page", PAGE_FIELDS, _IGNORED_PAGE_FIELDS):
            title = page.required_text("title", max_length=MAX_NAME_LENGTH)
            file, text = sources.page(page.required("file", "Name a Markdown or HTML file."))
            pages.append(PageContent(title, file, text))
    return tuple(pages)


def _check_containers(section: Section, content: CompetitionContent) -> None:
    """A submitted image brings its own environment and is run by itself: there is nothing that could be ingested."""
    ingesting = {task.index for task in content.tasks if isinstance(task, TaskContent) and task.ingestion_program}
    for phase in content.phases:
        tasks = [index for index in phase.tasks if index in ingesting]
        if phase.accepts_container_submissions and tasks:
            section.place_of("phases").error(
                f"Phase {shown(phase.name)} takes containers, which run by themselves, but its "
                f"{'task' if len(tasks) == 1 else 'tasks'} {', '.join(map(shown, tasks))} "
                f"{'has' if len(tasks) == 1 else 'have'} an ingestion program.",
                "Give the phase tasks without one: what the container writes to `/app/output` is scored.",
            )


def _check_tasks_used(section: Section, content: CompetitionContent, indexes: Collection[str]) -> None:
    used = {index for phase in content.phases for index in phase.tasks}
    unused = [index for index in indexes if index not in used]
    if unused and used:
        named = ", ".join(shown(index) for index in unused[:10])
        section.place_of("tasks").warning(
            f"No phase uses {'task' if len(unused) == 1 else 'the tasks'} {named}.", "List it in a phase's `tasks`."
        )
