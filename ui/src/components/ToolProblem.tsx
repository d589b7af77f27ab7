import { IconAlertTriangle } from './icons'
import { Sentence } from './Sentence'
import css from './ToolProblem.module.css'

/** Why no agent is offered a tool, whatever it is granted, and what to do about it. */
export function ToolProblem({ problem, taken }: { problem: string; /** Whether it is in the registry already. */ taken: boolean }) {
  return (
    <div className={css.problem} role="note">
      <IconAlertTriangle size={16} aria-hidden />
      <div className="stack tight">
        <span>No agent {taken ? 'is' : 'would be'} offered this tool, whatever it is granted: <Sentence text={problem} />.</span>
        <span className="small">Only its server can change that. Once it publishes a definition that can be checked, {taken ? 'ask for its tools again and take that one in' : 'it can be used as any other'}.</span>
      </div>
    </div>
  )
}
