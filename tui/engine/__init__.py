"""What happens, without a terminal: polling, judging, acting and remembering. Never imports Textual."""
