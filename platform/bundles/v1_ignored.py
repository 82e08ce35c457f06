"""Fields of CodaLab's bundles that Podium has no use for: each is named once, with what is done in its place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from podium.platform.bundles.fields import Section
from podium.platform.bundles.findings import shown
from podium.platform.bundles.yaml_source import Mapping as MappingNode
from podium.platform.bundles.yaml_source import Scalar

_OFF = frozenset({"", "0", "false", "no", "off", "none", "null", "~"})


@dataclass(frozen=True, slots=True)
class IgnoredField:
    """A field that CodaLab heeds and Podium does not.

    Attributes:
        instead: What happens in its place, in a sentence; empty where nobody misses it, so that nothing is said.
        unless: Values, in lower case, that ask for nothing, so that nothing is said either.
    """

    instead: str
    unless: frozenset[str] = _OFF


_ON = frozenset({"true", "yes", "on", "1"})
_ONE_IMAGE = IgnoredField("All programs run in the competition's image: name it in `competition_docker_image`.")
_SILENT = IgnoredField("")

IGNORED_COMPETITION_FIELDS: Mapping[str, IgnoredField] = {
    "admin_names": IgnoredField("The competition belongs to whoever creates it."),
    "allow_organizer_teams": IgnoredField("Teams are made by those who take part."),
    "enable_medical_image_viewer": IgnoredField("Pages have no viewer for medical images."),
    "enable_per_submission_metadata": IgnoredField("Every submission may have a message (`podium submit -m`)."),
    "hide_chart": _SILENT,
    "hide_top_three": _SILENT,
    "image_url_base": _SILENT,
    "is_migrating": _SILENT,
    "is_migrating_delayed": _SILENT,
    "last_phase_migration": _SILENT,
    "modified_by": _SILENT,
    "original_yaml_file": _SILENT,
    "published": _SILENT,
    "require_team_approval": _SILENT,
    "secret_key": _SILENT,
    "show_datasets_from_yaml": _SILENT,
    "start_date": IgnoredField("The competition begins with its first phase."),
    "submit_to_all_phases": IgnoredField("A submission is made to one phase, and scored by all of its tasks."),
    "upper_bound_max_submission_size": IgnoredField("The operator's limit for uploads holds."),
    "url_redirect": IgnoredField("Name the address in the description or on a page."),
}

IGNORED_PHASE_FIELDS: Mapping[str, IgnoredField] = {
    "color": IgnoredField("Phases have no colours."),
    "datasets": IgnoredField("Link to these data sets on one of the pages, or put them into `public_data`."),
    "default_docker_image": _ONE_IMAGE,
    "delete_submissions_except_best_and_last": IgnoredField("All submissions are kept."),
    "disable_custom_docker_image": IgnoredField("Participants can't choose an image.", _OFF | _ON),
    "hidden_columns": IgnoredField("Hide a column in all phases with its own `hidden`."),
    "ingestion_program_docker_image": _ONE_IMAGE,
    "is_migrated": _SILENT,
    "max_submission_size": IgnoredField("The operator's limit for uploads holds."),
    "participant_max_storage_use": IgnoredField("The operator's limits for storage hold."),
    "phase_never_ends": IgnoredField("A phase ends when the next one begins; the last one ends with the competition."),
    "scoring_program_docker_image": _ONE_IMAGE,
}


def note_ignored(sections: Iterable[Section], ignored: Mapping[str, IgnoredField]) -> None:
    """Warn of each ignored field where it stands first and asks for something."""
    noted: set[str] = set()
    for section in sections:
        for entry in section.mapping.entries:
            field = ignored.get(entry.key)
            if field is None or not field.instead or entry.key in noted:
                continue
            value = entry.value
            asks = value.text.strip().lower() not in field.unless if isinstance(value, Scalar) else bool(_inner(value))
            if asks:
                noted.add(entry.key)
                section.at(entry).warning(f"Podium has no use for {shown(entry.key)}.", field.instead)


def _inner(value: object) -> bool:
    return bool(value.entries if isinstance(value, MappingNode) else getattr(value, "items", ()))
