"""What happens, without a terminal: polling, judging, acting and remembering. Never imports Textual."""

import os

# Pydantic looks through every installed distribution for plugins at its first model; none is wanted here.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
