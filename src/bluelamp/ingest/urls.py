"""/fleet/docking/: what is uploading now, and what is missing."""

from django.urls import path

from bluelamp.ingest import views

app_name = "ingest"
urlpatterns = [
    path("", views.live, name="live"),
    path("now/", views.now, name="now"),
    path("said/", views.said, name="said"),
    path("missing/", views.what_is_missing, name="missing"),
    path("missing/close/", views.close_several, name="close_several"),
    path("missing/<uuid:discrepancy_id>/", views.discrepancy, name="discrepancy"),
    path("missing/<uuid:discrepancy_id>/close/", views.close, name="close"),
]
