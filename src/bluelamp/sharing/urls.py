from django.urls import path

from bluelamp.sharing import views

app_name = "shares"
urlpatterns = [
    path("", views.index, name="index"),
    path("recordings/<uuid:recording_id>/", views.share_recording, name="share_recording"),
    path("<uuid:share_id>/", views.share, name="share"),
    path("<uuid:share_id>/revoke/", views.revoke, name="revoke"),
    path("<uuid:share_id>/send-again/", views.send_again, name="send_again"),
]
