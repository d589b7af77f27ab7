"""An agent on fastmcp's client, over HTTP with the access token that it is given: the plan of plan.mjs
with "url" and "token" in place of the command. It finds out itself which protocol era to speak."""

import asyncio
import json
import sys

from fastmcp import Client
from fastmcp.client.transports import StreamableHttpTransport

PLAN = json.loads(sys.argv[1])


def report(line):
    print(json.dumps(line), flush=True)


def describe(thrown):
    error = getattr(thrown, "error", None)
    return {"code": getattr(error, "code", None), "message": str(thrown), "data": None}


async def main():
    transport = StreamableHttpTransport(
        PLAN["url"], headers={"authorization": f"Bearer {PLAN['token']}"}
    )
    async with Client(transport, timeout=PLAN.get("timeout_ms", 60_000) / 1000) as client:
        report({"connected": True})
        report({"listed": [tool.name for tool in await client.list_tools()]})
        for step in PLAN.get("calls", []):
            try:
                result = await client.call_tool_mcp(step["name"], step.get("arguments") or {})
                shown = result.model_dump(mode="json", by_alias=True, exclude_none=True)
                report({"call": step["name"], "result": shown})
            except Exception as thrown:
                report({"call": step["name"], "error": describe(thrown)})
    report({"closed": True})


try:
    asyncio.run(main())
except BaseException as thrown:
    report({"failed": describe(thrown)})
    sys.exit(1)
