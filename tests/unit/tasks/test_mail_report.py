"""The report of a campaign in Prefect's pages: numbers, and nobody's name."""

from __future__ import annotations

from podium.platform.lifecycle import CampaignStatus, MailStatus
from podium.platform.mail.audience import Audience, Who
from podium.platform.models import Competition, MailCampaign
from podium.tasks.mail import report_in_markdown


def campaign(audience: Audience) -> MailCampaign:
    return MailCampaign(
        competition=Competition(slug="iris"),
        number=3,
        audience=audience.stored(),
        status=CampaignStatus.SENT,
        status_message="One | line\nand another.",
        total=9,
        left_out={"opted out": 2},
    )


def test_a_report_has_numbers():
    counts = {MailStatus.SENT: 7, MailStatus.FAILED: 1, MailStatus.UNSETTLED: 1}
    assert report_in_markdown(campaign(Audience(phase="Final | round")), counts).splitlines() == [
        "# Campaign 3 of iris",
        "",
        "Sent. One | line and another.",
        "",
        "* to participants with a submission in phase Final / round: 9 recipients",
        "* 2 left out: opted out",
        "",
        "| messages | |",
        "| ---: | --- |",
        "| 7 | taken by the mail server |",
        "| 1 | refused |",
        "| 1 | which may have arrived or not |",
    ]


def test_a_report_names_nobody():
    assert "ada" not in report_in_markdown(campaign(Audience(who=Who.PEOPLE, usernames=("ada",))), {})
