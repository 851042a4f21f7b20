"""One folder a panel, all of one shape; each is found by its entry point, none is named by the application."""
