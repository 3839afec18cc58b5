"""A Django site made of the files of a section: `python django_site.py FOLDER PORT`. It prints a line when it listens.

`/` says who is logged in, as JSON, and has a form that logs in or out; `/refresh` has the library refresh its tokens.
What the files lack (database, sessions, an address for each view) is here.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import django
from django.conf import settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.urls import URLPattern, URLResolver, path

BASE = {
    "SECRET_KEY": "invented",
    "ALLOWED_HOSTS": ["localhost"],
    "DATABASES": {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
    "INSTALLED_APPS": ["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"],
    "MIDDLEWARE": [
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ],
    "MIGRATION_MODULES": dict.fromkeys(("auth", "contenttypes", "sessions", "social_django")),  # tables at once: faster
    "USE_TZ": True,
    "LOGGING_CONFIG": None,
}
AUTHLIB, MOZILLA, SOCIAL = "authlib", "mozilla_django_oidc", "social_django"
_LOGIN = {AUTHLIB: ("get", "/login"), MOZILLA: ("get", "/oidc/authenticate/"), SOCIAL: ("post", "/login/oidc/")}
_LOGOUT = {AUTHLIB: "/logout", MOZILLA: "/oidc/logout/", SOCIAL: "/logout"}
Urls = list[URLPattern | URLResolver]


def main(folder: Path, port: int) -> None:
    sys.path.insert(0, str(folder))
    chosen: dict[str, Any] = {**BASE}
    if (folder / "settings.py").exists():
        exec((folder / "settings.py").read_text(), chosen)
    settings.configure(**{name: value for name, value in chosen.items() if name.isupper()}, ROOT_URLCONF=__name__)
    django.setup()
    call_command("migrate", run_syncdb=True, verbosity=0)
    globals()["urlpatterns"] = [path("", home, name="home"), path("refresh", refresh), *_urls()]
    with make_server("127.0.0.1", port, get_wsgi_application(), handler_class=_Silent) as server:
        print("listening", flush=True)
        server.serve_forever()


class _Silent(WSGIRequestHandler):
    def log_message(self, format: str, *arguments: object) -> None:
        """Says nothing."""


def home(request: HttpRequest) -> HttpResponse:
    reader = _reader(request)
    method, address = _LOGIN[_library()] if reader is None else ("post", _LOGOUT[_library()])
    field = f'<input name="csrfmiddlewaretoken" value="{get_token(request)}">'
    return HttpResponse(f'<pre>{json.dumps(reader)}</pre><form method="{method}" action="{address}">{field}</form>')


def refresh(request: HttpRequest) -> HttpResponse:
    """Makes the access token look expired, has the library get another, and reads userinfo with it."""
    work: Callable[[HttpRequest], Any] = _refresh_of_authlib if _library() == AUTHLIB else _refresh_of_social_auth
    return HttpResponse(json.dumps(work(request)))


def _library() -> str:
    if importlib.util.find_spec("views") is not None:
        return AUTHLIB
    return MOZILLA if MOZILLA in settings.INSTALLED_APPS else SOCIAL


def _urls() -> Urls:
    if _library() != AUTHLIB:
        return list(importlib.import_module("urls").urlpatterns)
    views = importlib.import_module("views")
    return [path("login", views.log_in), path("callback", views.callback), path("logout", views.log_out)]


def _reader(request: HttpRequest) -> dict[str, str] | None:
    if _library() == AUTHLIB:
        claims = request.session.get("reader")
        names = ("sub", "email", "given_name", "family_name")
        return claims and {name: claims[name] for name in names}
    user: Any = request.user
    if not user.is_authenticated:
        return None
    return {"sub": user.username, "email": user.email, "given_name": user.first_name, "family_name": user.last_name}


def _refresh_of_authlib(request: HttpRequest) -> dict[str, str]:
    oauth = importlib.import_module("views").oauth
    before = request.session["token"]
    got: list[dict[str, Any]] = []
    oauth.stamkund._update_token = lambda token, **_: got.append(token)
    user = oauth.stamkund.userinfo(token={**before, "expires_at": 1})
    (after,) = got
    request.session["token"] = {**before, **after}
    return {"before": before["access_token"], "after": after["access_token"], "email": user["email"]}


def _refresh_of_social_auth(request: HttpRequest) -> dict[str, str]:
    from social_django.utils import load_strategy

    user: Any = request.user
    social = user.social_auth.get(provider="oidc")
    before = social.access_token
    social.extra_data["expires"], social.extra_data["auth_time"] = 1, 0
    after = social.get_access_token(load_strategy(request))
    backend = social.get_backend_instance(load_strategy(request))
    claims = backend.get_json(backend.userinfo_url(), headers={"Authorization": f"Bearer {after}"})
    return {"before": before, "after": after, "email": claims["email"]}


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
