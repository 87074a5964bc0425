"""The Jinja2 environment of every page: our templates strict, the GOV.UK components as their authors wrote them."""

from __future__ import annotations

from typing import Any

import jinja2
from django.urls import reverse
from jinja2.runtime import Context
from markupsafe import Markup

from bluelamp.web import chrome, filters, navigation, slots
from bluelamp.web.assets import static_url

COMPONENTS = "govuk_frontend_jinja"


class Environment(jinja2.Environment):
    """Raises on any undefined name, except inside the GOV.UK component macros.

    Those macros read optional parameters as missing keys of a dictionary, which strictness would refuse; they run in
    an overlay of this environment with Jinja2's ordinary undefined.
    """

    _components: jinja2.Environment | None = None
    _lenient = False

    def get_template(
        self,
        name: str | jinja2.Template,
        parent: str | None = None,
        globals: Any = None,
    ) -> jinja2.Template:
        if not self._lenient and isinstance(name, str) and name.startswith(f"{COMPONENTS}/"):
            return self._component_environment().get_template(name, parent, globals)
        return super().get_template(name, parent, globals)

    def _component_environment(self) -> jinja2.Environment:
        if self._components is None:
            # Their templates rely on the newline that a block tag leaves, ours do not.
            overlay = self.overlay(undefined=jinja2.Undefined, trim_blocks=False, lstrip_blocks=False)
            overlay._lenient = True
            self._components = overlay
        return self._components


def environment(**options: Any) -> Environment:
    """The factory named in Django's TEMPLATES setting; `options` are those of Django's Jinja2 backend."""
    loader = jinja2.PrefixLoader({COMPONENTS: jinja2.PackageLoader(COMPONENTS)})
    if options.get("loader") is not None:
        loader = jinja2.ChoiceLoader([options["loader"], loader])
    env = Environment(
        **{
            **options,
            "loader": loader,
            "undefined": jinja2.StrictUndefined,
            "autoescape": True,
            "trim_blocks": True,
            "lstrip_blocks": True,
            "extensions": ["jinja2.ext.do"],
        }
    )
    env.globals.update(
        below=navigation.below,
        chrome=chrome.of,
        csp_nonce=_csp_nonce,
        navigation=navigation.links,
        slot=_slot,
        static=static_url,
        url=_url,
    )
    env.filters.update(
        clock_difference=filters.clock_difference,
        clock_error=filters.clock_error,
        count=filters.count,
        date=filters.date,
        duration=filters.duration,
        filesize=filters.filesize,
        london=filters.london,
        london_seconds=filters.london_seconds,
        number=filters.number,
        utc=filters.utc,
    )
    return env


def _url(name: str, *args: Any, **kwargs: Any) -> str:
    return reverse(name, args=args, kwargs=kwargs)


@jinja2.pass_context
def _slot(context: Context, name: str, /, **values: Any) -> Markup:
    return slots.render(name, context["request"], **values)


@jinja2.pass_context
def _csp_nonce(context: Context) -> str:
    nonce: str = context["request"].csp_nonce
    return nonce
