"""Declarations of the fields that REST, the SDK and events show: one per property of a noun."""
