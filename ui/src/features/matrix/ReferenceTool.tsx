import { Link } from '@tanstack/react-router'
import { GrantMark } from '@/components/Grant'
import { JsonView } from '@/components/JsonView'
import { Mark } from '@/components/Mark'
import { useTenant } from '@/components/tenant'
import { ToolNeeds } from '@/components/ToolNeeds'
import type { ReferenceRow } from '@/ipc/generated'
import css from './Reference.module.css'

/** One tool of the reference matrix: what it needs, which can be changed here, and who may call it. */
export function ReferenceTool({ rows }: { rows: ReferenceRow[] }) {
  const tenant = useTenant()
  const tool = rows[0]
  if (!tool) return null
  return (
    <div className="stack wide">
      <dl className="facts">
        <dt>Server</dt><dd>{tool.server_name}</dd>
        {tool.enabled ? null : <><dt>Standing</dt><dd><Mark tone="care">switched off: nobody can call it</Mark></dd></>}
      </dl>
      <ToolNeeds tool={{ ...tool, id: tool.tool, name: tool.tool_name }} />
      <section className="stack tight">
        <h3>Who may call it</h3>
        <div className={`panel ${css.roles}`}>
          {rows.map((row) => (
            <div key={row.role} className={css.role}>
              <span className="ellipsis">{row.role_name}</span><GrantMark grant={row.grant} plain conditional={row.condition !== null} />
              {row.condition ? (
                <div className={css.condition}>
                  <JsonView source={row.condition.schema} label={`What the arguments satisfy for ${row.role_name}`} />
                  <span className="row">Others: <GrantMark grant={row.condition.otherwise} plain /></span>
                </div>
              ) : null}
            </div>
          ))}
        </div>
        <Link to="/t/$tenant/matrix" params={{ tenant: tenant.name }} search={{ q: tool.tool_name } as never}>Change it in the matrix</Link>
      </section>
    </div>
  )
}
