from django.urls import path

from bluelamp.sharing import portal_views as views
from bluelamp.sharing.packages import portal_views as packages

app_name = "share"
urlpatterns = [
    path("", views.index, name="index"),
    path("sign-in/", views.sign_in, name="sign_in"),
    path("code/", views.code, name="code"),
    path("sign-out/", views.sign_out, name="sign_out"),
    path("invitation/<str:token>/", views.invitation, name="invitation"),
    path("<uuid:share_id>/", views.watch, name="watch"),
    path("<uuid:share_id>/download/", views.download, name="download"),
    path("<uuid:share_id>/acknowledge/", views.acknowledge, name="acknowledge"),
    path("<uuid:share_id>/package/", packages.package, name="package"),
    path("<uuid:share_id>/package/now/", packages.now, name="package_now"),
    path("<uuid:share_id>/package/download/", packages.download, name="package_download"),
]
