"""Pages under /policy/."""

from django.urls import path

from bluelamp.retention import views

app_name = "retention"
urlpatterns = [
    path("", views.policy, name="policy"),
    path("deletions/", views.deletions, name="deletions"),
    path("deletions/<uuid:certificate_id>/", views.certificate, name="certificate"),
    path("deletions/<uuid:certificate_id>.json", views.certificate_json, name="certificate_json"),
    path("recordings/<uuid:recording_id>/hold/", views.place_hold, name="place_hold"),
    path("recordings/<uuid:recording_id>/extend/", views.extend, name="extend"),
    path("holds/<int:hold_id>/release/", views.release_hold, name="release_hold"),
]
