"""A competition as a bundle, and its submissions as a table: for who organizes it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import StreamingResponse

from podium.platform import audit, competitions
from podium.platform.bundles.reader import COMPETITION_FILE
from podium.platform.bundles.reading_back import faults_of
from podium.platform.bundles.v2_writer import write_v2
from podium.platform.competition_export import export_content, export_options, find_bundled_file
from podium.platform.errors import NotFound
from podium.platform.gateway.access import WithCaller
from podium.platform.gateway.requests import SubmissionsExport
from podium.platform.gateway.services import WithServices
from podium.platform.models import now
from podium.platform.records.exports import BundleFile, BundleText, CompetitionExport, TableForm
from podium.platform.records.storage import SignedRequestRecord
from podium.platform.submissions.export import plan_export, read_rows
from podium.platform.submissions.tables import table_pieces
from podium.platform.submissions.windows import choose_phase
from podium.platform.uploads import signed_record

router = APIRouter(tags=["exports"])
_MEDIA_TYPES = {TableForm.CSV: "text/csv; charset=utf-8", TableForm.PARQUET: "application/vnd.apache.parquet"}


@router.post("/competitions/{slug}/export")
def export_competition(slug: str, services: WithServices, caller: WithCaller) -> CompetitionExport:
    """A competition as it is now, as the parts of a bundle; each file is fetched from the store by itself."""
    with services.database.session() as session:
        competition = competitions.find_competition(session, slug, caller, options=export_options())
        competitions.require_organizer(competition, caller)
        exported = export_content(session, competition)
        written = write_v2(exported.content)
        faults = faults_of(exported.content, written, [file.path for file in exported.files])
        audit.note(session, "competition", after="taken out as a bundle, with its reference data and solutions")
    size = sum(file.size for file in exported.files)
    too_large = f"The bundle has more than {size} bytes, and this platform takes {services.settings.bundle_bytes}."
    return CompetitionExport(
        competition=competition.slug,
        texts=tuple(
            BundleText(path, text) for path, text in {COMPETITION_FILE: written.document, **written.texts}.items()
        ),
        files=tuple(BundleFile(file.path, file.size, file.sha256) for file in exported.files),
        warnings=(*exported.left_out, *faults, *([too_large] if size > services.settings.bundle_bytes else [])),
    )


@router.get("/competitions/{slug}/export/{sha256}")
def read_exported_file(
    slug: str,
    sha256: Annotated[str, Path(pattern="^[0-9a-f]{64}$")],
    services: WithServices,
    caller: WithCaller,
) -> SignedRequestRecord:
    """A request to download a file of the competition's bundle."""
    with services.database.session() as session:
        competition = competitions.find_competition(session, slug, caller, options=export_options())
        competitions.require_organizer(competition, caller)
        content = find_bundled_file(session, competition, sha256)
        if content is None:
            raise NotFound(f"'{competition.slug}' has no such file.", remedy="Export the competition again.")
        return signed_record(services.storage.sign_get(content, filename=f"{sha256[:16]}.bin"))


@router.post("/competitions/{slug}/submissions/export", response_class=StreamingResponse)
def export_submissions(
    slug: str, services: WithServices, caller: WithCaller, body: SubmissionsExport
) -> StreamingResponse:
    """All submissions, or those of one phase, with their scores: a table as CSV or Parquet, sent while it is read."""
    with services.database.session() as session:
        competition = competitions.find_competition(session, slug, caller, options=export_options())
        competitions.require_organizer(competition, caller)
        phase = None if body.phase is None else choose_phase(competition, body.phase, now())
        plan = plan_export(competition, phase)
        of_what = f"of phase '{phase.name}'" if phase else "of all phases"
        audit.note(session, "submissions", after=f"{of_what}, taken out as {body.form.value}")
    pieces = table_pieces(body.form, plan.columns, read_rows(services.database, plan))
    headers = {"Content-Disposition": f'attachment; filename="{competition.slug}-submissions.{body.form.value}"'}
    return StreamingResponse(pieces, media_type=_MEDIA_TYPES[body.form], headers=headers)
