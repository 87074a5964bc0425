"""Django settings, URLs and the ASGI application that puts dock, media and event traffic beside Django."""
