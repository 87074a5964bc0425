from django.urls import path

from bluelamp.cases import views

app_name = "cases"
urlpatterns = [
    path("", views.index, name="index"),
    path("open/", views.open_case, name="open"),
    path("<uuid:case_id>/", views.case, name="case"),
    path("<uuid:case_id>/members/", views.add_member, name="add_member"),
    path("<uuid:case_id>/members/<int:person_id>/end/", views.end_role, name="end_role"),
    path("<uuid:case_id>/close/", views.close_case, name="close"),
    path("recordings/<uuid:recording_id>/", views.add_recording, name="add_recording"),
]
