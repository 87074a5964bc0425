from django.urls import path

from bluelamp.sharing.packages import views

app_name = "packages"
urlpatterns = [
    path("", views.index, name="index"),
    path("cases/<uuid:case_id>/", views.make, name="make"),
    path("<uuid:package_id>/", views.package, name="package"),
    path("<uuid:package_id>/now/", views.now, name="now"),
    path("<uuid:package_id>/download/", views.download, name="download"),
    path("<uuid:package_id>/withdraw/", views.withdraw, name="withdraw"),
]
