"""One stack for each module of tests, and small ways to look at it from outside."""

import functools
import json
import os
import re
import tomllib
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests import waiting
from tui.demo import Stack, start

Answer = tuple[int, Any]


eventually = functools.partial(waiting.eventually, within=15.0, each=0.1)
"""What is asked here is a running product: a few times a second is enough."""


@dataclass
class View:
    """The stack as its clients see it: by the addresses and secrets of its config, nothing else."""

    stack: Stack
    heard: list[str] = field(default_factory=list)
    """Every body and header it ever sent here."""

    @property
    def panels(self) -> dict[str, Any]:
        config = tomllib.loads(self.stack.config_path.read_text())
        return {panel["name"]: panel for panel in config["panel"]}

    def endpoint(self, name: str) -> str:
        found: str = next(each["url"] for each in self.panels["health"]["endpoint"] if each["name"] == name)
        return found

    @property
    def web(self) -> str:
        return self.endpoint("readyz").removesuffix("/api/readyz")

    @property
    def deployments(self) -> str:
        base: str = self.panels["deploys"]["vercel"]["base"]
        return base

    def secret(self, name: str) -> str:
        return (self.stack.config_path.parent / name).read_text()

    def dsn(self, key: str = "dsn") -> str:
        return re.sub(r"\{file:(.*?)\}", lambda at: Path(at[1]).read_text(), self.panels["database"][key])

    def rows(self, query: str, *arguments: Any, key: str = "dsn") -> list[tuple[Any, ...]]:
        with psycopg.connect(self.dsn(key), autocommit=True) as connection:
            return connection.execute(query.encode(), arguments).fetchall()

    def value(self, query: str, *arguments: Any) -> Any:
        return self.rows(query, *arguments)[0][0]

    def ask(self, url: str, method: str = "GET", body: Any = None, **headers: str) -> Answer:
        """Status and body; a refused connection is status 0."""
        data = None if body is None else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(url, data, named, method=method)
        try:
            with urllib.request.urlopen(request, timeout=90) as answer:
                status, said, sent = answer.status, answer.read().decode(), str(answer.headers)
        except urllib.error.HTTPError as error:
            status, said, sent = error.code, error.read().decode(), str(error.headers)
        except urllib.error.URLError:
            return 0, None
        self.heard += [said, sent]
        try:
            return status, json.loads(said)
        except ValueError:
            return status, said

    def admin(self, path: str, method: str = "POST", token: str = "admin.token", **headers: str) -> Answer:
        return self.ask(f"{self.web}{path}", method, Authorization=f"Bearer {self.secret(token)}", **headers)

    def vercel(self, path: str, method: str = "GET", token: str = "vercel.token") -> Answer:
        return self.ask(f"{self.deployments}{path}", method, Authorization=f"Bearer {self.secret(token)}")

    def calls(self) -> dict[tuple[str, str], float]:
        """How often the web service called other companies, by company and outcome."""
        _, page = self.ask(f"{self.web}/metrics")
        found = re.findall(r'^external_api_requests_total\{api="(.*?)",outcome="(.*?)"\} (\S+)', page, re.M)
        return {(api, outcome): float(value) for api, outcome, value in found}

    def errors(self) -> dict[str, tuple[float, float]]:
        """Requests and errors by route, since the service started."""
        _, page = self.ask(f"{self.web}/metrics")
        totals: dict[str, tuple[float, float]] = {}
        for name, route, value in re.findall(r'^http_(requests|errors)_total\{.*?route="(.*?)".*?\} (\S+)', page, re.M):
            requests, errors = totals.get(route, (0.0, 0.0))
            new = (requests + float(value), errors) if name == "requests" else (requests, errors + float(value))
            totals[route] = new
        return totals


@pytest.fixture(scope="session")
def state_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A state folder of the tests' own, so that they meet no stack but theirs."""
    home = tmp_path_factory.mktemp("state")
    before = os.environ.get("XDG_STATE_HOME")
    os.environ["XDG_STATE_HOME"] = str(home)
    yield home
    if before is None:
        del os.environ["XDG_STATE_HOME"]
    else:
        os.environ["XDG_STATE_HOME"] = before


@pytest.fixture(scope="module")
def demo_stack(state_home: Path) -> Iterator[Stack]:
    with start(seed=7) as stack:
        yield stack


@pytest.fixture(scope="module")
def view(demo_stack: Stack) -> View:
    return View(demo_stack)
