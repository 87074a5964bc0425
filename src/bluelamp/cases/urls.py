from django.urls import path

from bluelamp.cases import subject_views, views

app_name = "cases"
urlpatterns = [
    path("", views.index, name="index"),
    path("open/", views.open_case, name="open"),
    path("<uuid:case_id>/", views.case, name="case"),
    path("<uuid:case_id>/members/", views.add_member, name="add_member"),
    path("<uuid:case_id>/members/<int:person_id>/end/", views.end_role, name="end_role"),
    path("<uuid:case_id>/close/", views.close_case, name="close"),
    path("<uuid:case_id>/persons/add/", subject_views.add, name="add_subject"),
    path("<uuid:case_id>/persons/<uuid:subject_id>/", subject_views.subject, name="subject"),
    path("<uuid:case_id>/persons/<uuid:subject_id>/proceedings/", subject_views.proceedings, name="proceedings"),
    path("<uuid:case_id>/persons/<uuid:subject_id>/appeal/", subject_views.open_appeal, name="open_appeal"),
    path(
        "<uuid:case_id>/persons/<uuid:subject_id>/appeal/<int:number>/",
        subject_views.close_appeal,
        name="close_appeal",
    ),
    path("<uuid:case_id>/persons/<uuid:subject_id>/group/", subject_views.group, name="group"),
    path("<uuid:case_id>/persons/<uuid:subject_id>/review/", subject_views.review_group, name="review_group"),
    path("recordings/<uuid:recording_id>/", views.add_recording, name="add_recording"),
]
