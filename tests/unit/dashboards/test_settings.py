from __future__ import annotations

import pytest

from podium.dashboards.server import server_arguments
from podium.dashboards.settings import read_settings
from podium.platform.errors import InvalidInput


def test_the_defaults_are_this_machine():
    settings = read_settings({})
    assert (settings.gateway, settings.host, settings.port) == ("http://127.0.0.1:8400", "127.0.0.1", 8401)
    assert settings.public_gateway == settings.gateway


@pytest.mark.parametrize(
    "variables",
    [{"PODIUM_GATEWAY": "ftp://x"}, {"PODIUM_DASHBOARDS_PORT": "many"}, {"PODIUM_DASHBOARDS_PORT": "70000"}],
)
def test_what_can_not_be_used_is_refused_by_name(variables: dict[str, str]):
    with pytest.raises(InvalidInput, match=next(iter(variables))):
        read_settings(variables)


def test_the_server_is_set_up_by_flags():
    flags = server_arguments(read_settings({"PODIUM_DASHBOARDS_PORT": "9000"}))
    for flag in (
        "--server.port=9000",
        "--server.headless=true",
        "--server.fileWatcherType=none",
        "--runner.postScriptGC=false",
        "--server.enableCORS=true",
        "--server.enableXsrfProtection=true",
        "--browser.gatherUsageStats=false",
    ):
        assert flag in flags
