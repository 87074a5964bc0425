"""/footage/…: a recording's story, and who looked at one's own footage."""

from django.urls import path

from bluelamp.oversight import history_views as views

app_name = "history"
urlpatterns = [
    path("mine/who-looked/", views.mine, name="mine"),
    path("<uuid:recording_id>/history/", views.recording, name="recording"),
]
