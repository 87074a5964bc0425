"""/audit/: the ledger."""

from django.urls import path

from bluelamp.oversight import audit_views as views

app_name = "audit"
urlpatterns = [
    path("", views.index, name="index"),
    path("export/", views.export, name="export"),
    path("events/<int:event_id>/", views.event, name="event"),
    path("recordings/<uuid:recording_id>/", views.recording, name="recording"),
    path("checkpoint/", views.checkpoint, name="checkpoint"),
    path("operations/", views.operations, name="operations"),
]
