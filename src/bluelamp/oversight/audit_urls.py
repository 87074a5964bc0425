"""/audit/: the ledger."""

from django.urls import path

from bluelamp.oversight import audit_views as views
from bluelamp.oversight import erasing_views as erasing
from bluelamp.oversight import proof_views as proofs
from bluelamp.oversight import report_views as reports

app_name = "audit"
urlpatterns = [
    path("", views.index, name="index"),
    path("export/", views.export, name="export"),
    path("events/<int:event_id>/", views.event, name="event"),
    path("events/<int:event_id>/proof/", proofs.proof, name="proof"),
    path("events/<int:event_id>/event.tlog-proof", proofs.proof_file, name="proof_file"),
    path("events/<int:event_id>/event.json", proofs.event_file, name="event_file"),
    path("events/<int:event_id>/erase/", erasing.ask, name="erasure_ask"),
    path("erasures/", erasing.index, name="erasures"),
    path("erasures/<int:ask_id>/", erasing.decide, name="erasure_decide"),
    path("recordings/<uuid:recording_id>/", views.recording, name="recording"),
    path("checkpoint/", views.checkpoint, name="checkpoint"),
    path("operations/", reports.operations, name="operations"),
    path("report/", reports.report, name="report"),
]
