from django.urls import path

from tests.web.site import views

handler400 = "bluelamp.web.errors.bad_request"
handler403 = "bluelamp.web.errors.permission_denied"
handler404 = "bluelamp.web.errors.page_not_found"
handler500 = "bluelamp.web.errors.server_error"

urlpatterns = [
    path("", views.kitchen_sink, name="home"),
    path("_components", views.kitchen_sink, name="components"),
    path("footage/", views.plain, name="footage"),
    path("footage/search/", views.plain, name="search"),
    path("cases/", views.plain, name="cases"),
    path("requests/", views.plain, name="requests"),
    path("secret/", views.plain, name="secret"),
    path("public/", views.plain, name="public"),
    path("share/<str:token>/", views.plain, name="share"),
    path("guide/", views.plain, name="guide"),
    path("sign-in/", views.plain, name="account_login"),
    path("sign-out/", views.post_only, name="account_logout"),
    path("post-only/", views.post_only, name="post-only"),
    path("say/<str:level>/", views.say, name="say"),
    path("progress/stream", views.progress_stream, name="progress-stream"),
    path("progress/poll", views.progress_poll, name="progress-poll"),
    path("fail/<str:kind>/", views.fail, name="fail"),
    path("public/fail/<str:kind>/", views.fail),
    path("api/v1/fail/<str:kind>/", views.fail),
    path("dock/fail/<str:kind>/", views.fail),
]
