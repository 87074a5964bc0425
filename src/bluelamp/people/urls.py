"""Start page, sign-in pages and the People pages; included at the root."""

from django.urls import include, path

from bluelamp.people import views

_people = (
    [
        path("", views.index, name="index"),
        path("new/", views.new_person, name="new"),
        path("units/new/", views.new_unit, name="new_unit"),
        path("organisations/", views.organisations, name="organisations"),
        path("organisations/new/", views.new_organisation, name="new_organisation"),
        path("<int:person_id>/", views.person, name="person"),
        path("<int:person_id>/edit/", views.edit_person, name="edit"),
        path("<int:person_id>/<slug:name>/", views.step, name="step"),
    ],
    "people",
)

urlpatterns = [
    path("", views.home, name="home"),
    path("account/", include("bluelamp.people.account_urls")),
    path("people/", include(_people)),
]
