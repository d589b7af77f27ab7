import { Modal, SegmentedControl } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { Act } from '@/components/Act'
import { CopyButton } from '@/components/Copy'
import { Loaded } from '@/components/Loaded'
import { Problem } from '@/components/Problem'
import { useTenant } from '@/components/tenant'
import { call } from '@/ipc/call'
import type { MatrixFormat, MatrixText } from '@/ipc/generated'
import { matrixExport } from '@/ipc/queries'
import { bytes, count, plural } from '@/lib/format'
import css from './Matrix.module.css'

// A record, so that a new format does not compile until it has a word.
const formats: Record<MatrixFormat, { label: string; hint: string }> = {
  csv: { label: 'CSV', hint: 'Every cell with its role, tool, grant, scopes and data system: for a review, or a sheet.' },
  idp: { label: 'Identity provider', hint: 'The scopes, roles and clients that your identity provider has to know, as JSON: this matrix is where they are decided.' },
}
/** What a window can draw without getting stuck; all of it is copied. */
const SHOWN = 200_000

/** The matrix as text, to copy or to save. */
export function ExportMatrix() {
  const [opened, setOpened] = useState(false)
  return (
    <>
      <Act onClick={() => setOpened(true)}>Export</Act>
      <Modal opened={opened} onClose={() => setOpened(false)} title="Export the matrix" size={760}>
        {opened ? <Exported /> : null}
      </Modal>
    </>
  )
}

function Exported() {
  const tenant = useTenant()
  const [format, setFormat] = useState<MatrixFormat>('csv')
  const query = useQuery(matrixExport(tenant.id, format))
  return (
    <div className="stack">
      <SegmentedControl aria-label="Format" transitionDuration={0} value={format} onChange={(value) => setFormat(value as MatrixFormat)}
        data={Object.entries(formats).map(([value, { label }]) => ({ value, label }))} />
      <p className="dim">{formats[format].hint}</p>
      <Loaded query={query}>{(file) => <File key={file.format} file={file} />}</Loaded>
    </div>
  )
}

function File({ file: { text, file_name: name, format } }: { file: MatrixText }) {
  const tenant = useTenant()
  // A window may write no files itself.
  const save = useMutation({ mutationFn: () => call('matrix_save', { tenant: tenant.id, format }) })
  const lines = text.split('\n').filter((line) => line !== '').length
  return (
    <>
      <div className="row">
        <code>{name}</code>
        <span className="dim small grow">{plural(lines, 'line')}, {bytes(new TextEncoder().encode(text).length)}{text.length > SHOWN ? `; the first ${count(SHOWN)} characters are shown, all are copied and saved` : ''}</span>
        <CopyButton text={text} label="Copy all of it" />
        <Act onClick={() => save.mutate()} loading={save.isPending}>Save to a file</Act>
      </div>
      {save.data ? <p className={css.saved} role="status">Saved as <code>{save.data.path}</code> <CopyButton text={save.data.path} label="Copy the path" /></p> : null}
      {save.error ? <Problem error={save.error} /> : null}
      <pre className={css.file} tabIndex={0} aria-label={name}>{text.slice(0, SHOWN)}</pre>
    </>
  )
}
