// What every agent script here is told and how it reports.
//
// The plan is one JSON object, given as the only argument:
//
//   { "command": "countersign", "args": ["connect", ...],   the stdio server to start
//     "env": {},                                            what it finds in its environment (agent-sdk.mjs)
//     "mode": "legacy" | "auto" | "2026-07-28",             protocol era, where the client knows eras
//     "timeout_ms": 60000,                                  per request
//     "as_it_is": false,                                    whether the client keeps its own settings
//     "calls": [{ "name": "read_file", "arguments": {} }] } made one after the other
//
// The report is JSON, one object a line: {"connected": ...}, {"listed": [...]}, then one
// {"call": name, "result": ...} or {"call": name, "error": {...}} for each call, and {"closed": true}.

export const plan = JSON.parse(process.argv[2] ?? '{}')

export function report(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

export async function follow(client, call) {
  const listed = await client.listTools()
  report({ listed: listed.tools.map((tool) => tool.name) })
  for (const { name, arguments: args } of plan.calls ?? []) {
    const progress = []
    const options = plan.as_it_is
      ? undefined
      : {
          timeout: plan.timeout_ms ?? 60_000,
          onprogress: (step) => progress.push(step.progress),
        }
    try {
      const result = await call({ name, arguments: args ?? {} }, options)
      report({ call: name, result, progress })
    } catch (thrown) {
      report({ call: name, error: describe(thrown), progress })
    }
  }
  await client.close()
  report({ closed: true })
}

export function describe(thrown) {
  const { code = null, message = String(thrown), data = null } = thrown ?? {}
  return { code, message, data }
}
