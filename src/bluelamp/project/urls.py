"""All pages. Dock traffic, media bytes and event streams are beside Django, in `asgi.py`."""

from django.urls import include, path

from bluelamp.ingest import api_views, openapi
from bluelamp.project import health

urlpatterns = [
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("metrics", health.metrics),
    path(openapi.DOCS_PATH.lstrip("/"), api_views.docs, name="api_docs"),
    path("", include("bluelamp.people.urls")),
    path("footage/add/", include("bluelamp.ingest.adding.urls")),
    path("footage/", include("bluelamp.oversight.history_urls")),
    path("footage/", include("bluelamp.footage.urls")),
    path("policy/", include("bluelamp.retention.urls")),
    path("cases/", include("bluelamp.cases.urls")),
    path("share/", include("bluelamp.sharing.portal_urls")),
    path("shares/packages/", include("bluelamp.sharing.packages.urls")),
    path("shares/", include("bluelamp.sharing.urls")),
    path("requests/", include("bluelamp.rights.urls")),
    path("public/figures/", include("bluelamp.oversight.public_urls")),
    path("public/", include("bluelamp.rights.public_urls")),
    path("fleet/docking/", include("bluelamp.ingest.urls")),
    path("fleet/axis/", include("bluelamp.ingest.axis.urls")),
    path("fleet/imports/", include("bluelamp.ingest.imports.urls")),
    path("fleet/", include("bluelamp.fleet.urls")),
    path("oversight/", include("bluelamp.oversight.urls")),
    path("log/", include("bluelamp.oversight.log_urls")),
    path("audit/", include("bluelamp.oversight.audit_urls")),
]

handler400 = "bluelamp.web.errors.bad_request"
handler403 = "bluelamp.web.errors.permission_denied"
handler404 = "bluelamp.web.errors.page_not_found"
handler500 = "bluelamp.web.errors.server_error"
