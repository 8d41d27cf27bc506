"""Boards: big figures for a screen on the wall, with and without a login."""
