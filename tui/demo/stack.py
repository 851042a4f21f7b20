"""The parts of a running stack, composed: what is started in which order, and what the troubles may lay hands on."""

import asyncio
import random
import secrets

from tui.demo import config
from tui.demo.child import Child
from tui.demo.database.server import Database
from tui.demo.database.server import start as start_database
from tui.demo.deployments.api import Api
from tui.demo.deployments.book import Book, Deployment
from tui.demo.folder import Folder
from tui.demo.ports import HOST, WEB
from tui.demo.services.media import Media
from tui.demo.services.partners import Partners
from tui.demo.services.timer import Timer
from tui.demo.services.users import Users

SECRETS = ("admin.token", "reader.token", "vercel.token", "cron.secret")


class Parts:
    """Everything that runs. Made by `start`; `stop` ends all of it."""

    database: Database
    api: Api
    timer: Timer

    def __init__(self, folder: Folder, seed: int) -> None:
        self.folder = folder
        self.rng = random.Random(seed)
        self.secrets = {name: secrets.token_urlsafe(24) for name in SECRETS}
        self.keeper = Child("tui.demo.database.keeper", folder.log("keeper"))
        self.web = Child("tui.demo.web", folder.log("web"))
        self.worker = Child("tui.demo.worker", folder.log("worker"))
        self.partners = Partners(self._rng())
        self.media = Media()
        self.book = Book(self._rng(), self._roll_out)
        self.environment: dict[str, str] = {}
        self.web_url = ""
        self._users: asyncio.Task[None] | None = None

    async def start(self, seed: int, *, bundled: bool) -> None:
        """From nothing to a product with users. Processes load while the database is made."""
        await asyncio.gather(self.keeper.start(), self.web.start(), self.worker.start())
        self.database, *_ = await asyncio.gather(
            start_database(self.folder, self.keeper, seed, bundled=bundled), self.partners.start(), self.media.open()
        )
        self.environment = {
            "DATABASE_URL": self.database.dsn("shop_api"),
            "STORAGE_URL": self.partners.url,
            "STRIPE_WEBHOOK_SECRET": "whsec_" + secrets.token_hex(12),
            "ADMIN_TOKEN": self.secrets["admin.token"],
            "READER_TOKEN": self.secrets["reader.token"],
            "CRON_SECRET": self.secrets["cron.secret"],
        }
        self.api = Api(self.book, self.secrets["vercel.token"])
        await asyncio.gather(self._start_web(), self.start_worker(fresh=False), self.api.start())
        self.timer = Timer(self.web_url, self.secrets["cron.secret"])
        self.timer.start()
        self._users = asyncio.create_task(Users(self.web_url, self._rng()).run())
        self._write()

    async def start_worker(self, *, fresh: bool = True) -> None:
        """Lets the worker process work; a fresh one in place of one that is gone."""
        if fresh:
            await self.worker.kill()
            await self.worker.start()
        try:
            await self.worker.ask({"work": {"dsn": self.database.dsn("shop_worker"), "partners": self.partners.url}})
        except BaseException:
            await self.worker.kill()
            raise

    async def stop(self) -> None:
        """Ends all processes; the keeper, the last one, removes the files."""
        if self._users is not None:
            self._users.cancel()
        await asyncio.gather(self.web.leave(0.5), self.worker.leave(0.5))
        await self.keeper.finish(4.0)  # killed, it would leave its files: on a slow disk it takes its time

    async def _start_web(self) -> None:
        serve = {
            "port": WEB,
            "partners": self.partners.url,
            "environment": self.environment,
            "release": _release(self.book.current),
        }
        answer = await self.web.ask({"serve": serve})
        self.web_url = f"http://{HOST}:{answer['port']}"

    async def _roll_out(self, deployment: Deployment) -> None:
        await self.web.ask({"release": _release(deployment)})

    def _write(self) -> None:
        """The secrets and the config that names them."""
        for name, value in self.secrets.items():
            self.folder.write(name, value)
        for role in ("watch", "ops"):
            self.folder.write(f"{role}.password", self.database.passwords[role])
        text = config.render(
            folder=str(self.folder.path),
            web=self.web_url,
            media=self.media.url,
            deployments=self.api.url,
            postgres=self.database.port,
        )
        self.folder.write(self.folder.config.name, text)

    def _rng(self) -> random.Random:
        """A generator of its own for each part, so that one part's draws do not move another's."""
        return random.Random(self.rng.getrandbits(64))


def _release(deployment: Deployment) -> dict[str, object]:
    return {"sha": deployment.sha[:7], "regression": deployment.regression}
