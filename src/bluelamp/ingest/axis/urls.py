"""The body-worn systems' pages, at /fleet/axis/."""

from django.urls import path

from bluelamp.ingest.axis import views

app_name = "axis"
urlpatterns = [
    path("", views.systems, name="systems"),
    path("new/", views.new, name="new"),
    path("rejected/", views.rejected, name="rejected"),
    path("rejected/<uuid:container_id>/", views.decide, name="decide"),
    path("alerts/<int:alert_id>/", views.settle_alert, name="alert"),
    path("users/<int:user_id>/", views.link_user, name="user"),
    path("<int:connection_id>/", views.system, name="system"),
    path("<int:connection_id>/file/", views.file, name="file"),
    path("<int:connection_id>/revoke/", views.revoke, name="revoke"),
]
