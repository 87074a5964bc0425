from django.apps import AppConfig
from django.http import HttpRequest


class FootageConfig(AppConfig):
    name = "bluelamp.footage"
    label = "footage"

    def ready(self) -> None:
        from bluelamp.footage import panels, phrases
        from bluelamp.web import navigation

        phrases.register()
        panels.register()
        navigation.register("Footage", "footage:index", _may_search, order=10)


def _may_search(request: HttpRequest) -> bool:
    from bluelamp.people import access
    from bluelamp.people.policy import Action

    # A request refused by its host name never reached the middleware that knows who is signed in.
    return hasattr(request, "user") and access.allows(request, Action.SEARCH)
