"""/footage/: finding recordings, and what is done with one."""

from django.urls import path

from bluelamp.footage.views import finding, marking, showing

app_name = "footage"

urlpatterns = [
    path("", finding.index, name="index"),
    path("new/", finding.new, name="new"),
    path("<uuid:recording_id>/", showing.recording, name="recording"),
    path("<uuid:recording_id>/state/", showing.state, name="state"),
    path("<uuid:recording_id>/watch/", showing.watch, name="watch"),
    path("<uuid:recording_id>/download/", showing.download, name="download"),
    path("<uuid:recording_id>/flag/", marking.flag, name="flag"),
    path("<uuid:recording_id>/release/", marking.release, name="release"),
    path("<uuid:recording_id>/category/", marking.categorise, name="category"),
    path("<uuid:recording_id>/reference/", marking.add_reference, name="reference"),
    path("<uuid:recording_id>/note/", marking.add_note, name="note"),
    path("<uuid:recording_id>/lock/", marking.lock, name="lock"),
    path("<uuid:recording_id>/unlock/", marking.unlock, name="unlock"),
    path("<uuid:recording_id>/let-watch/", marking.let_watch, name="let_watch"),
    path("<uuid:recording_id>/try-again/", marking.try_again, name="try_again"),
]
