"""Whoever opens this site is signed in, except below /public/."""


class Person:
    is_authenticated = True
    pk = 7

    def __str__(self) -> str:
        return "PS Amara Okafor"


class Nobody:
    is_authenticated = False
    pk = None


class SignedInMiddleware:
    def __init__(self, get_response):
        self._get_response = get_response

    def __call__(self, request):
        request.user = Nobody() if request.path.startswith("/public/") else Person()
        return self._get_response(request)
