"""What every fault can do."""

import random
from abc import ABC, abstractmethod

from tui.demo.stack import Parts


class Fault(ABC):
    """Brought about by `apply`, ended by `heal` or by whatever ends its cause; `active` looks which of them it is."""

    @abstractmethod
    async def apply(self, parts: Parts, rng: random.Random) -> None:
        """Brings it about; `rng` says how large, where and of which kind."""

    @abstractmethod
    async def heal(self, parts: Parts) -> None:
        """Ends it, as far as it has not ended."""

    @abstractmethod
    async def active(self, parts: Parts) -> bool:
        """Whether its cause is at work now."""

    def clears_by(self, parts: Parts) -> str | None:
        """The clearing step with what is known only now, where the catalogue's words are too general."""
        return None
