"""Faults that take minutes: run by `make chaos`, and no part of `make test`."""
