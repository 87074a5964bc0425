"""/public/figures/: what anybody may know."""

from django.urls import path

from bluelamp.oversight import views

app_name = "oversight_public"
urlpatterns = [path("", views.public_figures, name="figures")]
