"""URLs of boards, and of the wall."""

from __future__ import annotations

from django.urls import path

from supervisors.boards import views, wall

urlpatterns = [
    path("do/boards.delete", views.delete_board, name="delete_board"),
    path("do/boards.link", views.create_link, name="create_link"),
    path("do/boards.revoke", views.revoke_link, name="revoke_link"),
    path("boards", views.show_boards, name="boards"),
    path("boards/<str:sid>", views.show_board, name="board"),
    path("boards/<str:sid>/edit", views.edit_board, name="edit_board"),
    path("boards/<str:sid>/tiles", views.show_board_tiles, name="board_tiles"),
]
wall_urlpatterns = [
    path("wall/", wall.show_wall, name="wall"),
    path("wall/enter", wall.enter_wall, name="enter_wall"),
    path("wall/tiles", wall.show_tiles, name="wall_tiles"),
]
"""Addresses without a login; the cookie of the wall is sent to these alone."""
