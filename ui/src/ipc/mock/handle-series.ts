import { IpcError } from '../failure'
import type { Handlers } from './backend'
import { ago, correlation } from './clock'
import { settle, waiting } from './handle-records'
import { changed, missing } from './handle-status'
import { makeSeries } from './series'

export const seriesHandlers: Handlers = {
  series_list: (world, { tenant, all }) => world.series.filter((one) => (!tenant || one.tenant === tenant) && (all || one.running)),
  series_sign: (world, { approval, shown, calls, secs, schema, reason }) => {
    const [found, who] = [waiting(world, approval ?? ''), world.status.operator]
    if (shown !== found.arguments_digest || !who) throw new IpcError('stale', 'These are not the arguments that you were shown.', correlation())
    if (found.signing.no_series) throw new IpcError('conflict', `Each call of this tool is signed on its own: ${found.signing.no_series}.`, correlation())
    const series = makeSeries(found, who, calls, secs, schema, reason ?? null)
    world.series.unshift(series)
    settle(world, found, 'executed', reason ?? null)
    return series
  },
  series_revoke: (world, { series }) => {
    const found = world.series.find((one) => one.id === series)
    if (!found) throw missing('series')
    changed('approvals', 'audit')
    return Object.assign(found, { running: false, ended: ago(0), fault: 'it was taken back', ended_by: world.status.operator?.name ?? null })
  },
}
