"""The ready config of a stack, rendered from `config.toml.template`."""

from importlib.resources import files
from string import Template
from typing import Final

from tui.demo import ports
from tui.demo.database.server import QUOTA

USUAL_FOLDER: Final = "~/.local/state/watchfloor/demo"
"""Where the link to the newest stack stands on Linux."""


def render(*, folder: str, web: str, media: str, deployments: str, postgres: int) -> str:
    """The config of a stack at these addresses, with its secrets in files of `folder`."""
    text = files("tui.demo").joinpath("config.toml.template").read_text()
    places = {"folder": folder, "web": web, "media": media, "deployments": deployments, "postgres": str(postgres)}
    return Template(text).substitute(places, quota=f"{QUOTA >> 20} MiB")


def usual() -> str:
    """The config of a stack that got its usual ports, whichever it is: what the repository's `config.toml` holds."""
    return render(
        folder=USUAL_FOLDER,
        web=f"http://{ports.HOST}:{ports.WEB}",
        media=f"http://{ports.HOST}:{ports.MEDIA}/health",
        deployments=f"http://{ports.HOST}:{ports.DEPLOYMENTS}",
        postgres=ports.POSTGRES,
    )
