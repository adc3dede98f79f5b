"""A second OAuth server, independent of the first: django-oauth-toolkit on loopback, for one test.

It rotates refresh tokens and, when one comes twice, ends its whole family. Nothing of the protocol is ours: this file
registers clients, serves one API call, and counts. It says where it listens in one line of JSON, answers each line on
stdin with another, and ends when stdin does. Its database is a file in a temporary folder.

    python server.py SECONDS    how long access tokens live
"""

import json
import os
import sys
import tempfile
import threading
from socketserver import ThreadingMixIn
from urllib.parse import parse_qs
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import django
from django.conf import settings

HOME = tempfile.TemporaryDirectory(prefix="second-oauth-server-")

# Loopback without TLS, which the library asks for by this name.
os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"

settings.configure(
    SECRET_KEY="of a server that lives as long as one test",
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    USE_TZ=True,
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": os.path.join(HOME.name, "database"),
            "OPTIONS": {"timeout": 30, "transaction_mode": "IMMEDIATE"},
        }
    },
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "oauth2_provider"],
    # Tables as the models have them, in one go: there is no older database to bring along.
    MIGRATION_MODULES=dict.fromkeys(["auth", "contenttypes", "sessions", "oauth2_provider"]),
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        __name__ + ".someone_is_logged_in",
        __name__ + ".count",
    ],
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}],
    OAUTH2_PROVIDER={
        "SCOPES": {"contacts": "Read contacts"},
        "ACCESS_TOKEN_EXPIRE_SECONDS": int(sys.argv[1]),
        "ROTATE_REFRESH_TOKEN": True,
        "REFRESH_TOKEN_REUSE_PROTECTION": True,
        "PKCE_REQUIRED": True,
    },
)
django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.http import JsonResponse  # noqa: E402
from django.urls import include, path  # noqa: E402
from oauth2_provider import views  # noqa: E402
from oauth2_provider.models import AccessToken, Application, RefreshToken  # noqa: E402
from oauth2_provider.oauth2_backends import get_oauthlib_core  # noqa: E402

# RFC 6749 2.3.1: in Basic, these characters change when they are encoded, and only then is the colon no boundary.
PERSONS_CLIENT = ("client: 1", "s3cret basic:/+%41")
MACHINE_CLIENT = ("machine: 1", "s3cret machine:/+%41")

TALLY = {"codes": 0, "refreshes": 0, "client_credentials": 0, "invalid_grant": 0, "invalid_client": 0, "contacts": 0}
LOCK = threading.Lock()


def someone_is_logged_in(get_response):
    """The person whose browser this is."""

    def middleware(request):
        request.user = User.objects.get(username="ada")
        return get_response(request)

    return middleware


def count(get_response):
    """Counts what the token endpoint answered."""
    names = {
        "authorization_code": "codes",
        "refresh_token": "refreshes",
        "client_credentials": "client_credentials",
    }

    def middleware(request):
        asked = parse_qs(request.body.decode()) if request.path == "/token" else {}
        response = get_response(request)
        if request.path == "/token":
            error = json.loads(response.content).get("error")
            name = error if response.status_code >= 400 else names[asked["grant_type"][0]]
            with LOCK:
                TALLY[name] = TALLY.get(name, 0) + 1
        return response

    return middleware


def contacts(request):
    """The API: a token that is not good is answered as RFC 6750 asks."""
    valid, _ = get_oauthlib_core().verify_request(request, scopes=["contacts"])
    if not valid:
        response = JsonResponse({"error": "invalid_token"}, status=401)
        response["WWW-Authenticate"] = 'Bearer error="invalid_token"'
        return response
    with LOCK:
        TALLY["contacts"] += 1
    return JsonResponse({"data": {"last_name": "Hopper"}})


oauth = [
    path("authorize", views.AuthorizationView.as_view(), name="authorize"),
    path("token", views.TokenView.as_view(), name="token"),
    path("revoke", views.RevokeTokenView.as_view(), name="revoke-token"),
    path("introspect", views.IntrospectTokenView.as_view(), name="introspect"),
]
urlpatterns = [
    path("", include((oauth, "oauth2_provider"))),
    path("contacts.info", contacts),
]


def register(client_id, client_secret, grant):
    """A client, as a developer page would make it."""
    Application.objects.create(
        client_id=client_id,
        client_secret=client_secret,
        # As it is, or each token request would take the time that a good hash takes.
        hash_client_secret=False,
        client_type=Application.CLIENT_CONFIDENTIAL,
        authorization_grant_type=grant,
        user=User.objects.get(username="ada"),
        redirect_uris="",
    )


def answer(words):
    """What a test asks for on stdin."""
    match words:
        case ["allow", redirect_uri]:
            Application.objects.filter(client_id=PERSONS_CLIENT[0]).update(redirect_uris=redirect_uri)
        case ["expire"]:
            # Those that are there: what is granted from now on lives as long as it should.
            AccessToken.objects.update(expires=django.utils.timezone.now())
        case ["refresh-tokens"]:
            return [known.token for known in RefreshToken.objects.order_by("created")]
        case ["tally"]:
            return TALLY
        case other:
            return {"unknown": other}
    return {"done": words[0]}


class Server(ThreadingMixIn, WSGIServer):
    """One thread for each connection."""

    daemon_threads = True


class Quiet(WSGIRequestHandler):
    """stderr is for what goes wrong."""

    def log_message(self, *arguments):
        pass


def main():
    call_command("migrate", run_syncdb=True, verbosity=0)
    User.objects.create(username="ada")
    register(*PERSONS_CLIENT, Application.GRANT_AUTHORIZATION_CODE)
    register(*MACHINE_CLIENT, Application.GRANT_CLIENT_CREDENTIALS)
    server = make_server("127.0.0.1", 0, get_wsgi_application(), server_class=Server, handler_class=Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(json.dumps({"origin": f"http://127.0.0.1:{server.server_port}"}), flush=True)
    for line in sys.stdin:
        print(json.dumps(answer(line.split())), flush=True)


if __name__ == "__main__":
    main()
