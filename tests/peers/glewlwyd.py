"""An identity provider: Glewlwyd on a loopback address, in a folder of its own.

The plan is one JSON object, given as the only argument:

    { "folder": an empty folder for its database,
      "resources": ["http://127.0.0.1:PORT/t/acme/task/workbench/mcp"] }   who tokens may be for

Its issuer has a path, its metadata stands behind that path alone, and it can be asked about signed
tokens, and told to withdraw them. One client is registered, `bot`. Only a token's own client may ask
about it here, so that is what the gateway asks as. The first line it prints is

    { "issuer": ..., "introspection": ..., "secrets": { "bot": ... } }

Afterwards it reads one command a line and answers with one line each:

    token R S     an access token of `bot` for the resource R, with the scopes S (joined by +);
                  for none where R is `-`
    revoke T      withdraws the token
    rotate        a new signing key before the old one
    drop          a new signing key in place of the old one
"""

import base64
import ctypes
import gzip
import json
import pathlib
import secrets
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

PLAN = json.loads(sys.argv[1])
FOLDER = pathlib.Path(PLAN["folder"])
PACKAGED = pathlib.Path("/usr/share/doc/glewlwyd/database/init.sqlite3.sql.gz")
MODULES = "/usr/lib/glewlwyd"
SCOPES = ["mcp:connect", "files:read"]
SETTINGS = {
    "api_prefix": "api",
    "static_files_path": "/usr/share/glewlwyd/webapp/",
    "log_mode": "file",
    "log_level": "WARNING",
    "cookie_domain": "localhost",
    "cookie_secure": 0,
    "session_key": "PEER_SESSION",
    "session_expiration": 3600,
    "admin_session_authentication": "cookie",
    "profile_session_authentication": "cookie",
    "login_api_enabled": True,
    "admin_scope": "g_admin",
    "profile_scope": "g_profile",
    "user_module_path": f"{MODULES}/user",
    "client_module_path": f"{MODULES}/client",
    "user_auth_scheme_module_path": f"{MODULES}/scheme",
    "plugin_module_path": f"{MODULES}/plugin",
    "hash_algorithm": "SHA512",
}


def written(value):
    """A value as libconfig has it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else json.dumps(value)


def with_its_parent():
    """Has the system end a program with the one that started it, however that ends."""
    set_death_signal, kill = 1, 9
    ctypes.CDLL(None).prctl(set_death_signal, kill)


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def say(line):
    print(json.dumps(line), flush=True)


class Running:
    """The provider, and its administrator's way in."""

    def __init__(self):
        port = free_port()
        self.api = f"http://localhost:{port}/api"
        self.issuer = f"{self.api}/oidc"
        self.cookie = ""
        base = FOLDER / "glewlwyd.db"
        connection = sqlite3.connect(base)
        connection.executescript(gzip.decompress(PACKAGED.read_bytes()).decode())
        connection.close()
        settings = {
            "port": port,
            "bind_address": "127.0.0.1",
            "external_url": f"http://localhost:{port}",
            "log_file": str(FOLDER / "log"),
            **SETTINGS,
        }
        lines = [f"{name} = {written(value)}" for name, value in settings.items()]
        lines.append('database = { type = "sqlite3" path = %s };' % json.dumps(str(base)))
        config = FOLDER / "glewlwyd.conf"
        config.write_text("\n".join(lines) + "\n")
        self.process = subprocess.Popen(
            ["glewlwyd", f"--config-file={config}"],
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,
            preexec_fn=with_its_parent,
        )
        self.keys = [self.new_key()]
        self.secrets = {name: secrets.token_hex(24) for name in ["bot"]}

    def send(self, method, url, body=None, headers=None):
        request = urllib.request.Request(url, body, headers or {}, method=method)
        with urllib.request.urlopen(request, timeout=20) as answer:
            text = answer.read()
            return answer.headers, json.loads(text) if text else None

    def administer(self, method, path, body=None):
        headers = {"Cookie": self.cookie, "Content-Type": "application/json"}
        return self.send(method, self.api + path, json.dumps(body).encode(), headers)[0]

    def form(self, path, client, fields):
        pair = base64.b64encode(f"{client}:{self.secrets[client]}".encode()).decode()
        headers = {"Authorization": f"Basic {pair}"}
        body = urllib.parse.urlencode(fields).encode()
        return self.send("POST", self.issuer + path, body, headers)[1]

    def new_key(self):
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        jwk = RSAAlgorithm.to_jwk(key, as_dict=True)
        jwk.pop("key_ops", None)
        return {**jwk, "kid": secrets.token_hex(8), "alg": "RS256", "use": "sig"}

    def plugin(self):
        parameters = {
            "iss": self.issuer,
            "jwt-type": "rsa",
            "jwt-key-size": "256",
            "jwks-private": json.dumps({"keys": self.keys}),
            "jwks-show": True,
            "access-token-duration": 300,
            "refresh-token-duration": 600,
            "code-duration": 60,
            "refresh-token-rolling": False,
            "allow-non-oidc": True,
            "auth-type-client-enabled": True,
            "auth-type-code-enabled": True,
            "auth-type-token-enabled": False,
            "auth-type-password-enabled": False,
            "auth-type-refresh-enabled": False,
            "auth-type-device-enabled": False,
            "introspection-revocation-allowed": True,
            "introspection-revocation-allow-target-client": True,
            "introspection-revocation-auth-scope": [],
            "resource-allowed": True,
            "resource-scope": {SCOPES[0]: PLAN["resources"]},
            "resource-scope-and-client-property": False,
            "resource-client-property": "",
            "request-parameter-allow": False,
            "subject-type": "public",
            "pkce-allowed": False,
            "scope": [],
            "additional-parameters": [],
        }
        named = {"module": "oidc", "name": "oidc", "display_name": "oidc"}
        return {**named, "parameters": parameters, "enabled": True}

    def set_up(self):
        login = json.dumps({"username": "admin", "password": "password"}).encode()
        headers = {"Content-Type": "application/json"}
        for _ in range(300):
            try:
                given, _ = self.send("POST", f"{self.api}/auth/", login, headers)
                break
            except (urllib.error.URLError, ConnectionError):
                if self.process.poll() is not None:
                    raise SystemExit("glewlwyd ended before it was ready") from None
                time.sleep(0.05)
        else:
            raise SystemExit("glewlwyd did not come up")
        self.cookie = given["Set-Cookie"].split(";")[0]
        self.administer("POST", "/mod/plugin/", self.plugin())
        for name in SCOPES:
            scope = {"name": name, "display_name": name, "description": name}
            self.administer("POST", "/scope/", {**scope, "password_required": False, "scheme": {}})
        for name, secret in self.secrets.items():
            client = {
                "client_id": name,
                "name": name,
                "enabled": True,
                "confidential": True,
                "scope": SCOPES,
                "client_secret": secret,
                "password": secret,
                "token_endpoint_auth_method": ["client_secret_basic"],
                "authorization_type": ["client_credentials"],
                "redirect_uri": [],
            }
            self.administer("POST", "/client/", client)
        say({
            "issuer": self.issuer,
            "introspection": f"{self.issuer}/introspect",
            "secrets": self.secrets,
        })

    def replace_keys(self, keys):
        self.keys = keys
        self.administer("PUT", "/mod/plugin/oidc", self.plugin())
        self.administer("PUT", "/mod/plugin/oidc/reset")
        return {"keys": [key["kid"] for key in keys]}

    def obey(self, word, rest):
        if word == "token":
            resource, scopes = rest
            fields = {"grant_type": "client_credentials", "scope": scopes.replace("+", " ")}
            if resource != "-":
                fields["resource"] = resource
            return self.form("/token", "bot", fields)
        if word == "revoke":
            return self.form("/revoke", "bot", {"token": rest[0]}) or {}
        if word == "rotate":
            return self.replace_keys([self.new_key(), *self.keys])
        if word == "drop":
            return self.replace_keys([self.new_key()])
        raise SystemExit(f"{word} is no command")


provider = Running()
try:
    provider.set_up()
    for line in sys.stdin:
        word, *rest = line.split()
        try:
            say(provider.obey(word, rest))
        except urllib.error.HTTPError as refused:
            say({"error": refused.code, "said": refused.read().decode()})
finally:
    provider.process.terminate()
    provider.process.wait()
