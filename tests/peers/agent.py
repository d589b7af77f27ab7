"""An agent on the Python `mcp` client: over stdio with the plan of plan.mjs, over HTTP with an
access token of its own, with the plan of agent-oauth.mjs, or over HTTPS by its certificate, with the
plan of agent-mtls.mjs. With `"tls": {"certificate", "key", "authority"}` beside the plan of
agent-oauth.mjs it gets its token over a connection with its certificate; where there is no secret
and no key, that is its proof."""

import asyncio
import json
import ssl
import sys

import httpx2
import jwt
from cryptography.hazmat.primitives import serialization
from mcp import Client
from mcp.client.auth.extensions.client_credentials import (
    ClientCredentialsOAuthProvider,
    PrivateKeyJWTOAuthProvider,
    SignedJWTParameters,
)
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client

PLAN = json.loads(sys.argv[1])
AS_IT_IS = PLAN.get("as_it_is", False)


def report(line):
    print(json.dumps(line), flush=True)


def describe(thrown):
    while isinstance(thrown, BaseExceptionGroup):
        thrown = thrown.exceptions[0]
    error = getattr(thrown, "error", None)
    return {
        "code": getattr(error, "code", None),
        "message": getattr(error, "message", None) or str(thrown),
        "data": getattr(error, "data", None),
    }


async def follow(client):
    listed = await client.list_tools()
    report({"listed": [tool.name for tool in listed.tools]})
    for step in PLAN.get("calls", []):
        progress = []

        async def on_progress(value, _total, _message, seen=progress):
            seen.append(value)

        try:
            wishes = {} if AS_IT_IS else {"progress_callback": on_progress}
            result = await client.call_tool(step["name"], step.get("arguments") or {}, **wishes)
            shown = result.model_dump(mode="json", by_alias=True, exclude_none=True)
            report({"call": step["name"], "result": shown, "progress": progress})
        except Exception as thrown:
            report({"call": step["name"], "error": describe(thrown), "progress": progress})


class Kept:
    """Tokens and registrations, for as long as the agent lives."""

    def __init__(self):
        self.tokens = self.info = None

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens

    async def get_client_info(self):
        return self.info

    async def set_client_info(self, info):
        self.info = info


def proof():
    """What the HTTP client is made with, so that it proves who it is."""
    if "tls" in PLAN:
        files = PLAN["tls"]
        context = ssl.create_default_context(cafile=files["authority"])
        context.load_cert_chain(files["certificate"], files["key"])
        return {"auth": authentication(), "verify": context}
    if "ca" not in PLAN:
        return {"auth": authentication()}
    context = ssl.create_default_context(cafile=PLAN["ca"])
    if "cert" in PLAN:
        context.load_cert_chain(PLAN["cert"], PLAN["key"])
    return {"verify": context}


def authentication():
    usual = {"scope": PLAN["scope"], "issuer": PLAN["issuer"]}
    url, client = PLAN["url"], PLAN["client"]
    if "secret" in PLAN:
        return ClientCredentialsOAuthProvider(url, Kept(), client, PLAN["secret"], **usual)
    if "key" not in PLAN:
        # Its connection is its proof (RFC 8705): all that is left to say is who it is.
        provider = ClientCredentialsOAuthProvider(url, Kept(), client, "", **usual)
        provider.context.prepare_token_auth = lambda data, headers=None: (
            {**data, "client_id": client},
            headers or {},
        )
        return provider
    key = jwt.algorithms.ECAlgorithm.from_jwk(json.dumps(PLAN["key"]))
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
    signed = SignedJWTParameters(
        issuer=client, subject=client, signing_key=pem, signing_algorithm="ES256"
    )
    assertion = signed.create_assertion_provider()
    return PrivateKeyJWTOAuthProvider(url, Kept(), client, assertion, **usual)


async def speak(transport):
    settings = {"mode": PLAN.get("mode", "auto")}
    if not AS_IT_IS:
        settings["read_timeout_seconds"] = PLAN.get("timeout_ms", 60_000) / 1000
    async with Client(transport, **settings) as client:
        report({"connected": True})
        await follow(client)
    report({"closed": True})


async def main():
    if "url" in PLAN:
        patience = httpx2.Timeout(PLAN.get("timeout_ms", 60_000) / 1000)
        async with httpx2.AsyncClient(timeout=patience, **proof()) as http:
            await speak(streamable_http_client(PLAN["url"], http_client=http))
    else:
        server = StdioServerParameters(command=PLAN["command"], args=PLAN.get("args", []))
        await speak(stdio_client(server))


try:
    asyncio.run(main())
except BaseException as thrown:
    report({"failed": describe(thrown)})
    sys.exit(1)
