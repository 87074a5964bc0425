"""/oversight/: the figures."""

from django.urls import path

from bluelamp.oversight import views

app_name = "oversight"
urlpatterns = [
    path("", views.index, name="index"),
    path("findings.csv", views.findings, name="findings"),
]
