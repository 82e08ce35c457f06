"""Competitions, participants, leaderboards, people and bundles."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from podium.platform.cli.participants import plain_text

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Gateway, Podium, Samples


def test_competitions_are_listed(podium: Podium, gateway: Gateway, samples: type[Samples]):
    gateway.on("GET /competitions", [samples.summary()])
    ran = podium("competitions", "--search", "iris")
    assert "Iris [bold]flowers[/bold]" in ran.out
    assert "2026-01-02 03:04 UTC" in ran.out
    assert gateway.calls[-1].query == {"search": "iris"}
    (row,) = csv.DictReader(io.StringIO(podium("competitions", "--csv").out))
    assert row["slug"] == "iris"
    assert row["deadline"] == "2026-01-02T03:04:05+00:00"
    assert row["published"] == "true"
    assert row["reward"] == ""


def test_a_competition_is_shown(podium: Podium, gateway: Gateway, samples: type[Samples]):
    gateway.on("GET /competitions/iris", samples.competition())
    ran = podium("competition", "show", "iris")
    assert ran.code == 0
    assert "organized by grace" in ran.out
    assert "podium join iris" in ran.out
    assert "forest | net" in ran.out
    assert json.loads(podium("competition", "show", "iris", "--json").out)["summary"]["slug"] == "iris"
    gateway.on("GET /competitions/iris", samples.competition(participation="pending"))
    assert "Your participation is pending." in podium("competition", "show", "iris").out


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    (tmp_path / "competition.yaml").write_text("title: Iris", encoding="utf-8")
    return tmp_path


def making(gateway: Gateway, samples: type[Samples], *states: dict[str, object]) -> None:
    upload = samples.signed(f"{gateway.url}/store", "PUT")
    gateway.on("POST /bundles", {"bundle": samples.bundle("uploading"), "upload": upload})
    gateway.on("PUT /store", {})
    gateway.on(f"POST /bundles/{samples.ID}/complete", samples.bundle("queued"))
    gateway.on(f"GET /bundles/{samples.ID}", *states)


def test_a_competition_is_made_of_a_folder(podium: Podium, gateway: Gateway, samples: type[Samples], bundle: Path):
    warning = {"severity": "warning", "message": "No logo.", "file": "competition.yaml", "line": 3}
    made = samples.bundle("created", competition="iris", problems=[warning])
    making(gateway, samples, samples.bundle("reading"), made)
    ran = podium("competition", "create", str(bundle), "--start", "now", "--slug", "iris")
    assert ran.code == 0
    assert ran.out == "iris\n"
    assert "The bundle is queued." in ran.err
    assert "The bundle is reading." in ran.err
    assert "No logo." in ran.err
    body = gateway.called("POST /bundles")[0].json
    assert isinstance(body, dict)
    assert (body["start"], body["slug"], body["filename"]) == ("now", "iris", f"{bundle.name}.zip")
    assert "draft" not in body


def test_a_bundle_need_not_be_waited_for(podium: Podium, gateway: Gateway, samples: type[Samples], bundle: Path):
    making(gateway, samples)
    ran = podium("competition", "create", str(bundle), "--no-wait", "--draft")
    assert ran.out == f"{samples.ID}\n"
    assert not gateway.called(f"GET /bundles/{samples.ID}")


def test_a_refused_bundle_lists_every_problem(podium: Podium, gateway: Gateway, samples: type[Samples], bundle: Path):
    problems = [
        {"severity": "error", "message": f"Wrong {n}.", "file": "competition.yaml", "line": n, "field": f"phases[{n}]"}
        for n in range(1, 4)
    ]
    making(gateway, samples, samples.bundle("refused", problems=problems))
    ran = podium("competition", "create", str(bundle))
    assert ran.code == 1
    for number in range(1, 4):
        assert f"line {number}, phases[{number}]: Wrong {number}." in ran.err
    ran = podium("competition", "create", str(bundle), "--json")
    assert ran.code == 1
    # Progress stands before it.
    value = json.loads(ran.err[ran.err.index("{") :])
    assert [problem["line"] for problem in value["problems"]] == [1, 2, 3]


def test_a_competition_is_published_and_hidden(podium: Podium, gateway: Gateway, samples: type[Samples]):
    gateway.on("PATCH /competitions/iris", samples.competition())
    assert podium("competition", "publish", "iris").code == 0
    assert gateway.calls[-1].json == {"published": True}
    assert podium("competition", "unpublish", "iris").code == 0
    assert gateway.calls[-1].json == {"published": False}


@pytest.fixture
def joinable(gateway: Gateway, samples: type[Samples]) -> dict[str, object]:
    gateway.on("GET /competitions/iris", samples.competition())
    joined = {"username": "ada", "name": "Ada", "status": "approved", "joined": "2026-01-02T03:04:05+00:00"}
    gateway.on("POST /competitions/iris/participants", joined)
    return joined


def test_joining_without_a_terminal_wants_the_option(podium: Podium, gateway: Gateway, joinable: dict[str, object]):
    ran = podium("join", "iris")
    assert ran.code == 2
    assert "Be fair." in ran.out
    assert "--accept-terms" in ran.err
    assert not gateway.called("POST /competitions/iris/participants")
    ran = podium("join", "iris", "--accept-terms")
    assert ran.code == 0
    assert "You take part in iris" in ran.err
    assert gateway.calls[-1].json == {"terms_sha256": "ab" * 32}


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("n\n", 1), ("\n", 1)])
def test_on_a_terminal_one_is_asked(
    podium: Podium,
    gateway: Gateway,
    joinable: dict[str, object],
    monkeypatch: pytest.MonkeyPatch,
    answer: str,
    code: int,
):
    monkeypatch.setattr("podium.platform.cli.participants.can_ask", lambda: True)
    monkeypatch.setattr("sys.stdin", io.StringIO(answer))
    assert podium("join", "iris").code == code
    assert len(gateway.called("POST /competitions/iris/participants")) == (code == 0)


def test_pending_is_not_approved(podium: Podium, gateway: Gateway, joinable: dict[str, object]):
    gateway.on("POST /competitions/iris/participants", joinable | {"status": "pending"})
    assert "organizers will decide" in podium("join", "iris", "--accept-terms").err


def test_html_becomes_text():
    html = (
        "<style>p {}</style><h1>Terms</h1><p>Be   <b>fair</b> &amp; kind.</p><ul><li>One<li>Two</ul><script>x</script>"
    )
    assert plain_text(html) == "Terms\n\nBe fair & kind.\n\n- One\n- Two"


def test_participants_are_listed_and_decided(podium: Podium, gateway: Gateway, joinable: dict[str, object]):
    gateway.on("GET /competitions/iris/participants", [joinable])
    assert "approved" in podium("participant", "list", "iris").out
    for name in ("ada", "grace"):
        gateway.on(f"PATCH /competitions/iris/participants/{name}", joinable | {"username": name, "status": "denied"})
    ran = podium("participant", "deny", "iris", "ada", "grace")
    assert ran.code == 0
    assert ran.err == "ada is denied\ngrace is denied\n"
    assert gateway.calls[-1].json == {"status": "denied"}
    podium("participant", "approve", "iris", "ada")
    assert gateway.calls[-1].json == {"status": "approved"}


def test_a_leaderboard_is_shown(podium: Podium, gateway: Gateway, samples: type[Samples]):
    columns = [samples.column(), samples.column(key="error", title="Error", sorting="asc", precision=1)]
    board = samples.board(
        samples.row(1, "grace", 0.98765, 2.0, fact_sheet={"model": "net"}),
        samples.row(None, "ada", None, 3.25),
        columns=columns,
        questions=[
            {
                "key": "model",
                "type": "text",
                "title": "Model",
                "selection": [],
                "is_required": False,
                "is_on_leaderboard": True,
            }
        ],
        total=7,
    )
    gateway.on("GET /competitions/iris/leaderboard", board)
    ran = podium("leaderboard", "iris", "--limit", "2", "--phase", "Final")
    lines = [" ".join(line.split()) for line in ran.out.splitlines()]
    assert lines[0] == "Results: Iris, phase Final"
    assert lines[2] == "rank participant Accuracy ↑ Error ↓ Model entries date"
    assert lines[3] == "1 grace 0.988 2.0 net 2 2026-01-02 03:04 UTC"
    assert lines[4] == "- ada - 3.2 - 2 2026-01-02 03:04 UTC"
    assert "the first 2 of 7 rows" in lines[-1]
    assert gateway.calls[-1].query == {"phase": "Final", "limit": "2"}


def test_a_leaderboard_says_what_a_baseline_is_and_that_it_is_frozen(
    podium: Podium, gateway: Gateway, samples: type[Samples]
):
    board = samples.board(
        samples.row(None, "grace", 0.99, is_baseline=True, place=1),
        samples.row(1, "ada", 0.9, place=2),
        frozen_since="2026-01-02T03:04:05Z",
    )
    gateway.on("GET /competitions/iris/leaderboard", board)
    lines = [" ".join(line.split()) for line in podium("leaderboard", "iris").out.splitlines()]
    assert lines[3].startswith("baseline grace 0.990")
    assert lines[4].startswith("1 ada 0.900")
    assert lines[-1] == "Frozen: what stood there at 2026-01-02 03:04 UTC"


def test_a_long_leaderboard_is_fetched_in_pages(podium: Podium, gateway: Gateway, samples: type[Samples]):
    def page(begin: int, end: int) -> dict[str, object]:
        return samples.board(*(samples.row(n, f"p{n}", 0.5) for n in range(begin, end)), total=600)

    gateway.on("GET /competitions/iris/leaderboard", page(1, 501), page(501, 551))
    ran = podium("leaderboard", "iris", "--limit", "550", "--json")
    assert len(json.loads(ran.out)["rows"]) == 550
    assert [call.query for call in gateway.calls] == [{"limit": "500"}, {"limit": "50", "offset": "500"}]


def test_a_leaderboard_as_csv_is_the_gateways(podium: Podium, gateway: Gateway, tmp_path: Path):
    gateway.on("GET /competitions/iris/leaderboard.csv", 'rank,participant\r\n1,"a\nb"\r\n2,c\r\n')
    assert podium("leaderboard", "iris", "--csv", "--limit", "1").out == 'rank,participant\n1,"a\nb"\n'
    path = tmp_path / "board.csv"
    ran = podium("leaderboard", "iris", "--csv", "-o", str(path))
    assert ran.out == ""
    assert list(csv.reader(path.open(newline=""))) == [["rank", "participant"], ["1", "a\nb"], ["2", "c"]]
    assert podium("leaderboard", "iris", "--csv", "-o", str(path)).code == 6
    assert podium("leaderboard", "iris", "--csv", "-o", str(path), "--overwrite").code == 0


def test_an_empty_leaderboard_says_so(podium: Podium, gateway: Gateway, samples: type[Samples]):
    gateway.on("GET /competitions/iris/leaderboard", samples.board())
    assert "Nobody is on it yet." in podium("leaderboard", "iris").out


def test_people_are_added_and_listed(podium: Podium, gateway: Gateway, samples: type[Samples]):
    gateway.on("POST /people", samples.person())
    ran = podium("person", "add", "ada", "--email", "ada@example.org", "--organizer")
    assert ran.out == "ada\n"
    assert gateway.calls[-1].json == {"username": "ada", "email": "ada@example.org", "may_organize": True}
    gateway.on("GET /people", [samples.person()])
    assert "ada@example.org" in podium("person", "list").out
    assert podium("person", "add", "ada").code == 2


def token(**changes: object) -> dict[str, object]:
    return {
        "id": "00000000-0000-0000-0000-000000000009",
        "name": "laptop",
        "hint": "pod_ab",
        "created": "2026-01-02T03:04:05+00:00",
        "expires": None,
        "last_used": None,
        "revoked": None,
    } | changes


def test_tokens_are_made_listed_and_revoked(podium: Podium, gateway: Gateway, samples: type[Samples]):
    gateway.on("GET /me", samples.person())
    gateway.on("POST /people/ada/tokens", {"secret": "pod_abc", "token": token(expires="2026-02-02T03:04:05+00:00")})
    ran = podium("token", "create", "--name", "laptop", "--days", "30")
    assert ran.out == "pod_abc\n"
    assert "until 2026-02-02 03:04 UTC" in ran.err
    assert gateway.calls[-1].json == {"name": "laptop", "days": 30}
    gateway.on("POST /people/grace/tokens", {"secret": "pod_def", "token": token()})
    assert "until it is revoked" in podium("token", "create", "grace", "--name", "x").err
    gateway.on("GET /tokens", [token()])
    assert "pod_ab" in podium("token", "list").out
    gateway.on("DELETE /tokens/00000000-0000-0000-0000-000000000009", token())
    assert "laptop is revoked" in podium("token", "revoke", "00000000-0000-0000-0000-000000000009").err
    assert podium("token", "revoke", "nonsense").code == 2


def test_agents_are_listed(podium: Podium, gateway: Gateway):
    agent = {
        "name": "host-1",
        "pool": "docker",
        "version": "1",
        "slots": 2,
        "executor": "docker",
        "labels": {"cpus": "4"},
        "trouble": "",
        "last_seen": "2026-01-02T03:04:05+00:00",
        "alive": True,
    }
    gateway.on("GET /agents", [agent])
    ran = podium("agents")
    assert "cpus=4" in ran.out
    assert "ready" in ran.out


def test_a_bundle_is_checked_without_a_gateway(podium: Podium, gateway: Gateway, bundle: Path):
    ran = podium("bundle", "check", str(bundle))
    assert ran.code == 1
    assert "competition.yaml" in ran.out
    report = json.loads(podium("bundle", "check", str(bundle), "--json").out)
    assert report["errors"] >= 1
    assert all({"file", "line", "field", "message", "suggestion"} <= set(problem) for problem in report["problems"])
    assert gateway.calls == []
    assert podium("bundle", "check", str(bundle / "nothing")).code == 5


RELAXED = {"network": ["data.example:443"], "root": True}


def test_rules_are_relaxed_by_name(podium: Podium, gateway: Gateway, samples: type[Samples]):
    gateway.on("PATCH /competitions/iris/relaxations", samples.competition(relaxations=RELAXED))
    ran = podium("competition", "relax", "iris", "--network", "data.example", "--network", "a.example:80", "--root")
    assert ran.code == 0
    assert "iris: Programs, those of submissions too, may connect to data.example:443;" in ran.err
    assert "Programs run as root inside of their container" in ran.err
    assert gateway.calls[-1].json == {"network": ["data.example", "a.example:80"], "root": True}
    podium("competition", "relax", "iris", "--no-root")
    assert gateway.calls[-1].json == {"root": False}
    gateway.on("PATCH /competitions/iris/relaxations", samples.competition())
    assert "Every rule of the sandbox holds." in podium("competition", "relax", "iris", "--none").err
    assert gateway.calls[-1].json == {"network": [], "root": False}


@pytest.mark.parametrize("options", [(), ("--none", "--root"), ("--none", "--network", "data.example")])
def test_it_must_be_said_what_to_relax(podium: Podium, gateway: Gateway, options: tuple[str, ...]):
    assert podium("competition", "relax", "iris", *options).code == 2
    assert gateway.calls == []


def test_relaxations_are_shown_with_the_competition(podium: Podium, gateway: Gateway, samples: type[Samples]):
    gateway.on("GET /competitions/iris", samples.competition(relaxations=RELAXED))
    ran = podium("competition", "show", "iris")
    assert "may connect to data.example:443; what they can read can leave that way." in ran.out
    assert json.loads(podium("competition", "show", "iris", "--json").out)["relaxations"] == RELAXED


def test_pools_are_listed_and_set(podium: Podium, gateway: Gateway):
    docker = {"name": "docker", "runtime": "", "agents": 2, "queued": 7}
    gateway.on("GET /pools", [docker, {**docker, "name": "gpu", "runtime": "runsc"}])
    rows = list(csv.DictReader(io.StringIO(podium("pools", "--csv").out)))
    assert [(row["name"], row["runtime"], row["agents"], row["queued"]) for row in rows] == [
        ("docker", "", "2", "7"),
        ("gpu", "runsc", "2", "7"),
    ]
    gateway.on("PATCH /pools/docker", {**docker, "runtime": "runsc"})
    ran = podium("pool", "set", "docker", "--runtime", "runsc")
    assert "Containers of pool docker run with the runtime runsc" in ran.err
    assert gateway.calls[-1].json == {"runtime": "runsc"}
    gateway.on("PATCH /pools/docker", docker)
    assert "each host's default runtime" in podium("pool", "set", "docker", "--runtime", "").err
    assert gateway.calls[-1].json == {"runtime": ""}
