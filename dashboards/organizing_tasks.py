"""The tasks of a competition and their versions, for its organizers."""

from __future__ import annotations

import streamlit as st

from podium.dashboards import layout, source
from podium.dashboards.markup import element, text
from podium.dashboards.organizing_datasets import show_datasets, show_new_version
from podium.dashboards.session import Viewer
from podium.dashboards.submitting import update_task_command
from podium.dashboards.task_versions import outdated_words, versions_table
from podium.platform.records.competitions import CompetitionRecord, TaskRecord


def show_tasks(competition: CompetitionRecord, who: Viewer) -> None:
    """Show every task with its versions."""
    slug = competition.summary.slug
    tasks = {task.index: task for phase in competition.phases for task in phase.tasks}
    if not tasks:
        layout.nothing_here("No task yet", "This competition has no task.")
        return
    for task in tasks.values():
        _show_task(competition, task, who)
    with st.expander("Change a task", icon=":material/upload:"):
        st.markdown(
            "A new version holds for what is scored from now on; nothing is scored again by itself. "
            "A rerun scores what is there by the present versions."
        )
        show_new_version(slug, tuple(tasks.values()), who)
        st.caption("From a terminal, for large files too:")
        layout.commands(update_task_command(slug, next(iter(tasks))))
    show_datasets(slug, who)


def _show_task(competition: CompetitionRecord, task: TaskRecord, who: Viewer) -> None:
    phases = ", ".join(
        phase.name for phase in competition.phases if any(one.index == task.index for one in phase.tasks)
    )
    layout.inline(
        element("h2", text(task.name), class_="podium-section"),
        layout.facts((("Index", task.index), ("In", phases))),
    )
    answer = source.ask(lambda: who.gateway.task_versions(competition.summary.slug, task.index))
    if answer.value is None:
        if answer.trouble is not None:
            layout.trouble(answer.trouble, what="task")
        return
    outdated = outdated_words(answer.value)
    layout.inline(layout.notice(outdated, kind="warning") if outdated else text(""), versions_table(answer.value))
