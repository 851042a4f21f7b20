"""The stack's PostgreSQL: found, started, kept, filled."""
