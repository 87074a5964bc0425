"""/footage/add/: footage from elsewhere."""

from django.urls import path

from bluelamp.ingest.adding import views

app_name = "adding"
urlpatterns = [
    path("", views.begin, name="begin"),
    path("<uuid:addition_id>/", views.send, name="send"),
    path("<uuid:addition_id>/files/", views.files, name="files"),
    path("<uuid:addition_id>/finish/", views.finish, name="finish"),
]
