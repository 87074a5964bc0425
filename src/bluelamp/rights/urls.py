from django.urls import path

from bluelamp.rights import views

app_name = "requests"
urlpatterns = [
    path("", views.index, name="index"),
    path("<uuid:request_id>/", views.desk, name="request"),
    path("<uuid:request_id>/identity/", views.prove_identity, name="prove_identity"),
    path("<uuid:request_id>/clarification/", views.ask_clarification, name="ask_clarification"),
    path("<uuid:request_id>/clarified/", views.clarified, name="clarified"),
    path("<uuid:request_id>/extend/", views.extend, name="extend"),
    path("<uuid:request_id>/close/", views.close, name="close"),
    path("<uuid:request_id>/stop-holding/", views.stop_holding, name="stop_holding"),
]
