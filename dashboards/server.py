"""How the Streamlit server is set up: every option is a flag, so that no file in any folder changes it."""

from __future__ import annotations

from podium.dashboards.settings import Settings

SERVER_OPTIONS = {
    "server.headless": "true",
    "server.showEmailPrompt": "false",
    # Watching files triples the time that a page takes; nothing here changes while it runs.
    "server.fileWatcherType": "none",
    # Collecting after every run takes six times as long as drawing a page; see `collecting.py`.
    "runner.postScriptGC": "false",
    "server.enableCORS": "true",
    "server.enableXsrfProtection": "true",
    "browser.gatherUsageStats": "false",
    "client.toolbarMode": "minimal",
    # A visitor gets a sentence, the log gets the traceback.
    "client.showErrorDetails": "none",
    "client.showErrorLinks": "false",
    # The welcome message looks up the machine's public address on the internet.
    "logger.hideWelcomeMessage": "true",
    "runner.magicEnabled": "false",
}

SHARED_THEME = {
    "baseRadius": "0.5rem",
    "baseFontSize": "16",
    # An organizer's first heading stands below the page's own title.
    "headingFontSizes": '["1.75rem", "1.45rem", "1.2rem", "1.05rem", "1rem", "1rem"]',
    "headingFontWeights": "[700, 650, 600, 600, 600, 600]",
    "showWidgetBorder": "true",
    "linkUnderline": "true",
}

LIGHT_THEME = {
    "primaryColor": "#1f5fbf",
    "backgroundColor": "#ffffff",
    "secondaryBackgroundColor": "#f3f5f9",
    "textColor": "#16202e",
    "linkColor": "#1f5fbf",
    "borderColor": "#d5dbe5",
}

DARK_THEME = {
    "primaryColor": "#6ea8fe",
    "backgroundColor": "#10151d",
    "secondaryBackgroundColor": "#1a212c",
    "textColor": "#e6ebf2",
    "linkColor": "#8ab8ff",
    "borderColor": "#323c4b",
}


def server_arguments(settings: Settings) -> list[str]:
    """The flags of `streamlit run`."""
    options = dict(SERVER_OPTIONS)
    options |= {"server.address": settings.host, "server.port": str(settings.port)}
    options["server.maxUploadSize"] = str(settings.upload_megabytes)
    options |= {f"theme.{name}": value for name, value in SHARED_THEME.items()}
    options |= {f"theme.light.{name}": value for name, value in LIGHT_THEME.items()}
    options |= {f"theme.dark.{name}": value for name, value in DARK_THEME.items()}
    return [f"--{name}={value}" for name, value in options.items()]
