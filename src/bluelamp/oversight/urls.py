"""/oversight/: the figures, and what was lost."""

from django.urls import path

from bluelamp.oversight import loss_views as losses
from bluelamp.oversight import views

app_name = "oversight"
urlpatterns = [
    path("", views.index, name="index"),
    path("findings.csv", views.findings, name="findings"),
    path("losses/", losses.index, name="losses"),
    path("losses/decide/", losses.decide, name="losses_decide"),
    path("losses/losses.csv", losses.taken, {"form": "csv"}, name="losses_csv"),
    path("losses/losses.json", losses.taken, {"form": "json"}, name="losses_json"),
]
