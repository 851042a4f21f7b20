"""Real servers for tests: each file starts one kind, on a free loopback port, and stops it again."""
