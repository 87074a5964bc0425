from django.urls import path

from bluelamp.rights import public_views as views

app_name = "public"
urlpatterns = [
    path("", views.index, name="index"),
    path("ask/", views.ask, name="ask"),
    path("asked/", views.asked, name="asked"),
    path("confirm/<str:token>/", views.confirm, name="confirm"),
    path("follow/", views.follow, name="follow"),
]
