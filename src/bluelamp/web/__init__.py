"""Base templates, components, static assets, error pages and slots: what every page is made of."""

from bluelamp.web.assets import static_dirs

__all__ = ["static_dirs"]
