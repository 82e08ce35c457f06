"""Whether an address is somebody's: asked by a message to it, and answered by the link in that."""

from __future__ import annotations

from sqlalchemy.orm import Session

from podium.platform.errors import Conflict, NotFound
from podium.platform.mail.links import MailLinks
from podium.platform.mail.queueing import Addressed, queue_from_template
from podium.platform.mail.template_files import TemplateName
from podium.platform.models import MailKind, Person, now


def ask(session: Session, person: Person, links: MailLinks) -> None:
    """Ask somebody whether their address is theirs.

    Raises:
        Conflict: They have said so.
    """
    if person.email_confirmed is not None:
        raise Conflict("This address is known to be yours.")
    asked = Addressed(person.id, filled_in={"confirm_link": links.confirmation(person.id, person.email)})
    queue_from_template(session, MailKind.CONFIRMATION, TemplateName.ADDRESS_CONFIRMATION, [asked])


def read(session: Session, token: str, links: MailLinks) -> Person:
    """Whose address a link confirms.

    Raises:
        NotFound: It is none of ours, or is over; or they have another address since.
    """
    person_id, is_theirs = links.confirmed(token)
    person = session.get(Person, person_id, with_for_update=True)
    if person is None or not is_theirs(person.email):
        raise NotFound("This link is about another address than the account has now.")
    return person


def confirm(person: Person) -> None:
    """Take an address for theirs. Saying it again changes nothing."""
    person.email_confirmed = person.email_confirmed or now()
