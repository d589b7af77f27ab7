"""An agent on the Python `mcp` client over stdio. Takes the plan and reports as plan.mjs says."""

import asyncio
import json
import sys

from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

PLAN = json.loads(sys.argv[1])


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
            result = await client.call_tool(
                step["name"], step.get("arguments") or {}, progress_callback=on_progress
            )
            shown = result.model_dump(mode="json", by_alias=True, exclude_none=True)
            report({"call": step["name"], "result": shown, "progress": progress})
        except Exception as thrown:
            report({"call": step["name"], "error": describe(thrown), "progress": progress})


async def main():
    server = StdioServerParameters(command=PLAN["command"], args=PLAN.get("args", []))
    timeout = PLAN.get("timeout_ms", 60_000) / 1000
    async with Client(
        stdio_client(server), mode=PLAN.get("mode", "auto"), read_timeout_seconds=timeout
    ) as client:
        report({"connected": True})
        await follow(client)
    report({"closed": True})


try:
    asyncio.run(main())
except BaseException as thrown:
    report({"failed": describe(thrown)})
    sys.exit(1)
