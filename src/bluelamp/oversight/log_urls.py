"""/log/: the transparency log, for anybody (C2SP tlog-tiles)."""

from django.urls import path

from bluelamp.oversight import log_views as views

app_name = "log"
urlpatterns = [
    path("", views.index, name="index"),
    path("keys", views.keys_text, name="keys"),
    path("checkpoint", views.checkpoint, name="checkpoint"),
    path("checkpoint/cosigned", views.cosigned, name="cosigned"),
    path("timestamp/<int:size>", views.timestamp, name="timestamp"),
    path("timestamp/<int:size>/checkpoint", views.stamped, name="stamped"),
    path("<path:address>", views.tile, name="tile"),
]
