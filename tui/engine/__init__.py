"""What happens, without a terminal: polling, judging, acting and remembering. Never imports Textual."""

import os
import sys

# httpx imports its own command line, and with it pygments and click, for nothing: 40 ms and more that every start would pay.
# It has an answer for where that cannot be imported; None is how an import is refused.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]

# Pydantic looks through every installed distribution for plugins at its first model; none is wanted here.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
