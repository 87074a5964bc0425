"""The site as an ASGI application, with static files beside Django as in the product.

Start with DJANGO_SETTINGS_MODULE=tests.web.site.settings.
"""

from a2wsgi import WSGIMiddleware
from django.core.wsgi import get_wsgi_application
from django.db import connection
from starlette.applications import Starlette
from starlette.routing import Mount

from bluelamp.web import static_dirs
from bluelamp.web.assets import StaticApp

pages = WSGIMiddleware(get_wsgi_application())

with connection.cursor() as cursor:
    cursor.execute("CREATE TABLE kernel_clock_offset (id integer PRIMARY KEY, seconds bigint NOT NULL)")
    cursor.execute("INSERT INTO kernel_clock_offset VALUES (1, 31 * 86400)")

app = Starlette(routes=[Mount("/static", StaticApp(static_dirs())), Mount("/", pages)])
