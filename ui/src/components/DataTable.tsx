import {
  createSortedRowModel, rowSortingFeature, sortFns, tableFeatures, useTable, type ColumnDef,
} from '@tanstack/react-table'
import { useMemo, type ReactNode } from 'react'
import { IconArrowDown, IconArrowUp } from './icons'
import css from './DataTable.module.css'

const features = tableFeatures({
  rowSortingFeature,
  sortedRowModel: createSortedRowModel(),
  sortFns,
})

export type Column<T> = {
  id: string
  title: string
  /** What the column sorts by. Without it the column does not sort. */
  value?: (row: T) => string | number
  cell: (row: T) => ReactNode
  width?: number | string
  align?: 'end'
  /** Shown where there is room; the row's own page has it too. */
  roomy?: boolean
}

type Props<T> = {
  label: string
  rows: T[]
  columns: Column<T>[]
  rowKey: (row: T) => string
  /** Opens a row. The first cell is then a button. */
  onOpen?: (row: T) => void
  openKey?: string | undefined
  empty: ReactNode
}

/** A table of a page: sortable, its rows open by pointer and by keyboard. */
export function DataTable<T extends object>({ label, rows, columns, rowKey, onOpen, openKey, empty }: Props<T>) {
  const definitions = useMemo(() => columns.map(define), [columns])
  const table = useTable({ features, columns: definitions, data: rows })
  if (rows.length === 0) return <div className="panel">{empty}</div>
  return (
    <div className={`panel ${css.frame}`}>
      <table className={css.table} aria-label={label}>
        <thead>
          <tr>
            {table.getFlatHeaders().map((header, index) => {
              const sorted = header.column.getIsSorted()
              const column = columns[index]
              return (
                <th
                  key={header.id}
                  style={{ width: column?.width }}
                  data-align={column?.align}
                  data-roomy={column?.roomy}
                  aria-sort={sorted === 'asc' ? 'ascending' : sorted === 'desc' ? 'descending' : undefined}
                >
                  {column?.value ? (
                    <button type="button" className={css.sort} onClick={header.column.getToggleSortingHandler()}>
                      {column.title}
                      {sorted === 'asc' ? <IconArrowUp size={12} /> : null}
                      {sorted === 'desc' ? <IconArrowDown size={12} /> : null}
                    </button>
                  ) : (
                    column?.title || <span className="visually-hidden">Actions</span>
                  )}
                </th>
              )
            })}
          </tr>
        </thead>
        <tbody>
          {table.getRowModel().rows.map(({ original }) => {
            const key = rowKey(original)
            return (
              <tr
                key={key}
                data-open={key === openKey || undefined}
                data-opens={onOpen ? true : undefined}
                onClick={onOpen ? () => onOpen(original) : undefined}
              >
                {columns.map((column, index) => (
                  <td key={column.id} data-align={column.align} data-roomy={column.roomy}>
                    {index === 0 && onOpen ? (
                      <button type="button" className={css.open}>
                        {column.cell(original)}
                      </button>
                    ) : (
                      column.cell(original)
                    )}
                  </td>
                ))}
              </tr>
            )
          })}
        </tbody>
      </table>
    </div>
  )
}

function define<T extends object>(column: Column<T>): ColumnDef<typeof features, T> {
  const value = column.value
  return value
    ? { id: column.id, accessorFn: value, header: column.title, sortFn: 'alphanumeric' }
    : { id: column.id, header: column.title }
}
