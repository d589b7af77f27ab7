"""A small MCP server over stdio whose tools misbehave in one way each."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time

heard = []
listeners = {}
watched = set()
MODERN = "io.modelcontextprotocol/"
lock = threading.Lock()
tools = ["echo", "heard", "environment", "hang", "die", "flood", "garbage", "giant", "wrong_id",
         "twice", "both", "batch", "method_too", "no_content", "task", "error", "steps", "ask",
         "change", "touch", "crash_on_start", "late", "answer_and_die", "array", "input", "number"]
described = {name: "Does " + name + "." for name in tools}


def say(message):
    with lock:
        sys.stdout.write(json.dumps(message) + "\n")
        sys.stdout.flush()


def result(i, value):
    say({"jsonrpc": "2.0", "id": i, "result": value})


def text(i, value):
    result(i, {"content": [{"type": "text", "text": value}]})


def call(i, params):
    name = params["name"]
    given = params.get("arguments", {})
    ok = {"jsonrpc": "2.0", "id": i, "result": {"content": []}}
    if name == "echo":
        text(i, json.dumps(given))
    elif name == "heard":
        text(i, json.dumps(heard))
    elif name == "environment":
        text(i, json.dumps(dict(os.environ)))
    elif name == "die":
        os._exit(3)
    elif name == "answer_and_die":
        text(i, "last words")
        os._exit(0)
    elif name == "flood":
        for number in range(200_000):
            sys.stderr.write("line %d \x1b[2J %s\n" % (number, os.environ.get("TOKEN", "")))
        sys.stderr.write("x" * 5_000_000)
        sys.stderr.flush()
        text(i, "flooded")
    elif name == "garbage":
        sys.stdout.write("Server listening on port 3000\n")
        sys.stdout.flush()
    elif name == "giant":
        text(i, "x" * (4 * 1024 * 1024))
    elif name == "wrong_id":
        say({**ok, "id": i + 1000})
    elif name == "twice":
        say(ok)
        say(ok)
    elif name == "both":
        say({**ok, "error": {"code": 1, "message": "no"}})
    elif name == "batch":
        say([ok])
    elif name == "method_too":
        say({**ok, "method": "tools/call"})
    elif name == "no_content":
        result(i, {"answer": 42})
    elif name == "array":
        result(i, [])
    elif name == "task":
        result(i, {"content": [], "resultType": "task"})
    elif name == "error":
        say({"jsonrpc": "2.0", "id": i, "error": {
            "code": -32042, "message": "broken\n\x1b[31m" + "y" * 2000, "data": "z" * 5000}})
    elif name == "steps":
        token = params["_meta"]["progressToken"]
        for token in (token + 500, token):
            say({"jsonrpc": "2.0", "method": "notifications/progress", "params": {
                "progressToken": token, "progress": 1, "total": 2, "message": "half", "x": 1}})
        text(i, "done")
    elif name == "ask":
        say({"jsonrpc": "2.0", "id": "p", "method": "ping"})
        say({"jsonrpc": "2.0", "id": 7, "method": "sampling/createMessage", "params": {}})
        text(i, "asked")
    elif name == "input":
        asks = {"who": {"method": "elicitation/create", "params": {"message": "Who?"}}}
        result(i, {"resultType": "input_required", "inputRequests": asks, "requestState": "s"})
    elif name == "number":
        result(i, {"content": [], "structuredContent": 7, "resultType": "complete"})
    elif name == "change":
        described["echo"] = "Does something else."
        if "--modern" not in sys.argv or listeners:
            say({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"})
        text(i, "changed")
    elif name == "touch":
        if "test:a" in watched or any("test:a" in told for told in listeners.values()):
            say({"jsonrpc": "2.0", "method": "notifications/resources/updated",
                 "params": {"uri": "test:a"}})
        text(i, "touched")


def capabilities():
    able = {"tools": {"listChanged": True}}
    if "--watched" in sys.argv:
        able["resources"] = {"subscribe": True}
    if "--resources" in sys.argv:
        able["resources"] = {"listChanged": True}
    return able


def main():
    for at, argument in enumerate(sys.argv):
        if argument == "--stubborn":
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if argument == "--call-home":
            home = socket.create_connection(("127.0.0.1", int(sys.argv[at + 1])))
            home.sendall(b"server\n")
        if argument == "--fork":
            code = ("import signal, socket, time\n"
                    "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
                    "s = socket.create_connection(('127.0.0.1', %s))\n"
                    "s.sendall(b'grandchild\\n')\n"
                    "time.sleep(600)\n" % sys.argv[at + 1])
            subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.DEVNULL)
        if argument == "--fail":
            sys.stderr.write("cannot open the database\n")
            sys.exit(4)
        if argument == "--mute":
            time.sleep(600)
        if argument == "--old":
            pass
    for line in sys.stdin:
        message = json.loads(line)
        heard.append(message)
        method, i = message.get("method"), message.get("id")
        if "--modern" in sys.argv and i is not None:
            meta = message["params"].get("_meta", {})
            claimed = [meta.get(MODERN + name) for name in ("protocolVersion", "clientCapabilities")]
            if claimed != ["2026-07-28", {}] or method == "initialize":
                say({"jsonrpc": "2.0", "id": i, "error": {
                    "code": -32022, "message": "2026-07-28 only", "data": {}}})
                continue
        if "--end-on-discover" in sys.argv and method == "server/discover":
            sys.exit(1)
        if "--modern" in sys.argv and method == "server/discover":
            if "--slow" in sys.argv:
                sys.argv.remove("--slow")
                time.sleep(1)
            result(i, {"supportedVersions": ["2026-07-28"], "resultType": "complete",
                       "capabilities": capabilities()})
        elif "--modern" in sys.argv and method == "subscriptions/listen":
            listeners[i] = message["params"]["notifications"].get("resourceSubscriptions", [])
            told = {"resourceSubscriptions": listeners[i]}
            say({"jsonrpc": "2.0", "method": "notifications/subscriptions/acknowledged",
                 "params": {"notifications": told}})
        elif method == "initialize":
            version = "1999-01-01" if "--old" in sys.argv else message["params"]["protocolVersion"]
            result(i, {"protocolVersion": version, "capabilities": capabilities(),
                       "serverInfo": {"name": "test", "version": "1"}})
        elif method == "resources/list":
            result(i, {"resources": [{"uri": "test:a", "name": "a"}]})
        elif method == "resources/subscribe":
            watched.add(message["params"]["uri"])
            result(i, {})
        elif method == "resources/unsubscribe":
            watched.discard(message["params"]["uri"])
            result(i, {})
        elif method == "tools/list":
            listed = [{"name": n, "description": d, "inputSchema": {"type": "object"}}
                      for n, d in described.items()]
            start = int(message["params"].get("cursor", "0"))
            if "--circle" in sys.argv:
                result(i, {"tools": [], "nextCursor": "0"})
            elif "--double" in sys.argv:
                result(i, {"tools": listed + listed[:1]})
            else:
                page = {"tools": listed[start:start + 10]}
                if start + 10 < len(listed):
                    page["nextCursor"] = str(start + 10)
                result(i, page)
        elif method == "tools/call":
            call(i, message["params"])
        elif method == "notifications/cancelled" and message["params"]["requestId"] in listeners:
            del listeners[message["params"]["requestId"]]
        elif method == "notifications/cancelled" and "--late" in sys.argv:
            text(message["params"]["requestId"], "too late")
        elif i is not None and method is not None:
            say({"jsonrpc": "2.0", "id": i, "error": {"code": -32601, "message": "Not known"}})
    if "--stubborn" in sys.argv:
        time.sleep(600)


main()
