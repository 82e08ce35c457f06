"""A mail server that tests tell what to answer, and a sender that can be killed.

    python mailing.py DATABASE_URL CAMPAIGN PORT

sends a campaign, in a process of its own.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from uuid import UUID

from podium.platform.database import Database
from podium.platform.lifecycle import CampaignStatus, MailStatus
from podium.platform.mail import campaigns, outbox
from podium.platform.mail.addresses import mail_address
from podium.platform.mail.audience import Audience
from podium.platform.mail.configuration import MailConfiguration
from podium.platform.mail.driving import Sending, begin_campaign, end_campaign
from podium.platform.mail.links import MailLinks
from podium.platform.models import Competition, MailCampaign

LINKS = MailLinks("a key that only the tests know, of 32 characters and more", "https://podium.test", "")
SERVER = Path(__file__).with_name("mail_server.py")


class MailServer:
    """A mail server in a process of its own; see `mail_server.py`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._process = subprocess.Popen([sys.executable, SERVER, folder])
        deadline = time.monotonic() + 30
        while not (folder / "port").exists():
            assert time.monotonic() < deadline, "the mail server did not start"
            time.sleep(0.02)
        self.port = int((folder / "port").read_text())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()

    def reset(self) -> None:
        """As if nothing had ever been sent."""
        for kept in (*self.folder.glob("*.eml"), self.folder / "rules", self.folder / "keep"):
            kept.unlink(missing_ok=True)
        with (self.folder / "taken").open("r+b") as taken:
            taken.truncate(0)

    def tell(self, **rules: Any) -> None:  # noqa: ANN401  # JSON
        """What to answer from now on; `any` stands for every recipient."""
        written = self.folder / "rules.new"
        written.write_text(json.dumps({("*" if name == "any" else name): rule for name, rule in rules.items()}))
        written.rename(self.folder / "rules")

    def taken(self) -> list[tuple[str, str]]:
        """Recipient and Message-ID of what it took."""
        lines = (self.folder / "taken").read_text().splitlines()
        return [(line.split()[0], line.split()[1]) for line in lines]

    def recipients(self) -> Counter[str]:
        """How often each recipient got something."""
        return Counter(address for address, _ in self.taken())

    def keep(self) -> None:
        """Keep what comes, for `message`."""
        (self.folder / "keep").touch()

    def message(self, address: str) -> bytes:
        """What came for a recipient."""
        return (self.folder / f"{address}.eml").read_bytes()


def configuration(port: int, **values: Any) -> MailConfiguration:  # noqa: ANN401  # its fields
    """An operator's settings for a mail server on this machine."""
    sender = mail_address("podium@podium.test")
    assert sender is not None
    settled: dict[str, Any] = {
        "host": "127.0.0.1",
        "port": port,
        "security": "none",
        "username": "",
        "password": "",
        "ca_file": None,
        "sender": sender,
        "bounces": None,
        "connections": 4,
        "per_minute": None,
        "domain_per_minute": None,
        "timeout_seconds": 10.0,
        "retry_seconds": 0.05,
        "give_up_seconds": 3600.0,
        **values,
    }
    return MailConfiguration(**settled)


@dataclass(frozen=True)
class Mailing:
    """Drafts and sends campaigns the way that Podium does."""

    database: Database
    port: int

    def approved(
        self,
        slug: str,
        *,
        audience: Audience | None = None,
        subject: str = "Hello {{name}}",
        body: str = "Dear {{name}},\n\nread [this]({{leaderboard_link}}).",
        send: bool = True,
    ) -> UUID:
        """A campaign of the competition's owner, which is about to be sent."""
        with self.database.session() as session:
            competition = session.query(Competition).filter_by(slug=slug).one()
            owner = competition.organizer_id
            campaign = campaigns.draft_campaign(
                session,
                competition,
                owner,
                audience=audience or Audience(),
                subject=subject,
                body=body,
                actor="tests",
            )
            campaigns.approve_campaign(session, campaign, owner, seen=1, needs_second=False, actor="tests")
            if send:
                campaigns.send_campaign(session, campaign, actor="tests")
            return campaign.id

    def send(self, campaign_id: UUID, **values: Any) -> CampaignStatus:  # noqa: ANN401  # of the configuration
        """Do what the flow does."""
        with self.database.session() as session:
            if not begin_campaign(session, campaign_id):
                return session.get_one(MailCampaign, campaign_id).status
        ended = Sending(self.database, configuration(self.port, **values), LINKS).campaign(campaign_id)
        with self.database.session() as session:
            campaign = end_campaign(session, campaign_id, ended, None)
            assert campaign is not None
            return campaign.status

    def counts(self, campaign_id: UUID) -> dict[MailStatus, int]:
        """Its messages by status."""
        with self.database.session() as session:
            return outbox.counts(session, campaign_id)


if __name__ == "__main__":
    url, campaign, port = sys.argv[1:]
    Mailing(Database(url, pool_size=2), int(port)).send(UUID(campaign))
