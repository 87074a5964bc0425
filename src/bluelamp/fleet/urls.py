"""The Fleet pages, at /fleet/."""

from django.urls import path

from bluelamp.fleet import rollout_views, views

app_name = "fleet"
urlpatterns = [
    path("", views.cameras, name="cameras"),
    path("cameras/new/", views.new_camera, name="new_camera"),
    path("cameras/<str:serial>/", views.camera, name="camera"),
    path("cameras/<str:serial>/issue/", views.issue, name="issue"),
    path("cameras/<str:serial>/return/", views.return_camera, name="return"),
    path("cameras/<str:serial>/state/", views.change_state, name="state"),
    path("cameras/<str:serial>/key/", views.forget_key, name="forget_key"),
    path("docks/", views.docks, name="docks"),
    path("docks/new/", views.new_dock, name="new_dock"),
    path("docks/<int:dock_id>/revoke/", views.revoke_dock, name="revoke_dock"),
    path("rollout/", rollout_views.rollout, name="rollout"),
    path("rollout/<path:code>/", rollout_views.plan, name="plan"),
]
