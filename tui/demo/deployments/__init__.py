"""A look-alike of Vercel's deployments API, and what it knows: the project's deployments and which one is live."""
