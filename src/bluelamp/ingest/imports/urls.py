"""The pages of imports, at /fleet/imports/."""

from django.urls import path

from bluelamp.ingest.imports import views

app_name = "imports"
urlpatterns = [
    path("", views.runs, name="runs"),
    path("<int:run_id>/", views.run, name="run"),
    path("<int:run_id>/now/", views.now, name="now"),
    path("<int:run_id>/files.csv", views.listing_file, name="listing"),
    path("<int:run_id>/report.json", views.report, name="report"),
]
