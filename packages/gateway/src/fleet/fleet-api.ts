import type { Logger } from 'pino'
import { AggregatorRegistry, Gauge, Registry } from 'prom-client'
import { ConfigError, type ConfigProblem, problemsIn } from '../config/config-error.ts'
import { parseConfig } from '../config/parse.ts'
import type { Fleet, FleetAnswer } from './fleet.ts'
import { readConfigText } from '../runtime/running.ts'
import type { WouldDeny } from '../runtime/would-deny.ts'
import type { AdminAnswer, AdminEndpoint, AdminQuestion } from '../admin/admin-api.ts'

interface RefusedReload {
  readonly ok: false
  readonly problems: readonly ConfigProblem[]
  readonly reason: string
}

type Listed = { readonly [key: string]: unknown }

/** The lists of all workers as one; each entry tells whose it is. */
function gather(answers: readonly FleetAnswer[], key: string): readonly Listed[] {
  return answers.flatMap(({ worker, body }) =>
    ((body as { [key: string]: Listed[] } | null)?.[key] ?? []).map(one => Object.assign(one, { worker })),
  )
}

/** The admin API of a gateway of several processes: each is asked, and the answers are put together. */
export function fleetApi(fleet: Fleet, file: string, log: Logger): { readonly [path: string]: AdminEndpoint } {
  const askAll = (path: string, { query, body }: AdminQuestion): Promise<readonly FleetAnswer[]> =>
    fleet.ask({ kind: 'admin', path, query: query.toString(), body })

  return {
    '/-/healthy': { method: 'GET', open: true, answer: () => ({ status: 200, body: { status: 'ok' } }) },
    '/-/ready': {
      method: 'GET',
      open: true,
      async answer(question) {
        const answers = await askAll('/-/ready', question)
        const ready = fleet.serving === fleet.size && answers.every(({ status }) => status === 200)
        return {
          status: ready ? 200 : 503,
          body: { status: ready ? 'ready' : fleet.draining ? 'draining' : 'not ready' },
        }
      },
    },
    '/-/reload': { method: 'POST', answer: () => reloadFleet(fleet, file, log) },
    '/-/drain': {
      method: 'POST',
      answer: async question => worst(await askAll('/-/drain', question)),
    },
    '/-/connections': {
      method: 'GET',
      answer: async question => connectionsOf(await askAll('/-/connections', question)),
    },
    '/-/upstreams': {
      method: 'GET',
      answer: async question => ({
        status: 200,
        body: { targets: gather(await askAll('/-/upstreams', question), 'targets') },
      }),
    },
    '/-/revoke': {
      method: 'POST',
      async answer(question) {
        const answers = await askAll('/-/revoke', question)
        // A connection is one worker's; the others have none of that id.
        return answers.find(({ status }) => status === 200 && isConnection(question.body)) ?? worst(answers)
      },
    },
    '/-/report': {
      method: 'GET',
      answer: async question => ({
        status: 200,
        body: {
          wouldDeny: addUp(gather(await askAll('/-/report', question), 'wouldDeny') as unknown as readonly WouldDeny[]),
        },
      }),
    },
    '/metrics': { method: 'GET', answer: async () => metricsOf(fleet, await fleet.ask({ kind: 'metrics' })) },
  }
}

function connectionsOf(answers: readonly FleetAnswer[]): AdminAnswer {
  const refused = answers.find(({ status }) => status === 400 || status === 404)
  if (refused !== undefined) return { status: refused.status, body: refused.body }
  const total = answers.reduce((sum, { body }) => sum + ((body as { total?: number } | null)?.total ?? 0), 0)
  const connections = gather(answers, 'connections')
  return { status: 200, body: { total, listed: connections.length, connections } }
}

/** The metrics of all workers, added up, and those of the primary. */
async function metricsOf(fleet: Fleet, answers: readonly FleetAnswer[]): Promise<AdminAnswer> {
  const all = AggregatorRegistry.aggregate(
    answers.flatMap(({ status, body }) => (status === 200 ? [body as object[]] : [])),
  )
  const own = new Registry()
  new Gauge({ name: 'sallyport_workers_serving', help: 'Workers that serve.', registers: [own] }).set(fleet.serving)
  new Gauge({
    name: 'sallyport_worker_restarts',
    help: 'Workers that ended and were started again.',
    registers: [own],
  }).set(fleet.restarts)
  return {
    status: 200,
    body: `${await own.metrics()}\n${await all.metrics()}`,
    headers: { 'Content-Type': all.contentType },
  }
}

/**
 * Has every worker take on the same text, and tells what became of it. It is judged here first: a file with a problem
 * reaches none of them, and they count that it came.
 */
export async function reloadFleet(fleet: Fleet, file: string, log: Logger): Promise<AdminAnswer> {
  const refuse = (status: number, body: RefusedReload): AdminAnswer => {
    log.error({ kind: 'reload', ...body }, `reload refused: ${body.reason}; the old configuration stands`)
    return { status, body }
  }
  let text: string
  try {
    text = readConfigText(file)
    parseConfig(text, { file })
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    void fleet.ask({ kind: 'refused' })
    return refuse(422, { ok: false, problems: error.problems, reason: problemsIn(file, error) })
  }
  const answers = await fleet.ask({ kind: 'reload', text })
  const refused = answers.filter(({ status }) => status !== 200)
  if (refused.length < answers.length) fleet.takeOn(text)
  if (refused.length === 0) {
    log.info({ kind: 'reload', ok: true }, 'reloaded')
    return { status: 200, body: answers[0]?.body }
  }
  // Each worker has reported its own.
  if (refused.length === answers.length) return { status: 422, body: refused[0]?.body }
  const reason = `${refused.length} of ${answers.length} workers did not take it on: reload again, or restart`
  log.error({ kind: 'reload', ok: false, reason }, `reload taken on in part: ${reason}`)
  return { status: 500, body: { ok: false, problems: [], reason } }
}

const isConnection = (body: unknown): boolean => typeof body === 'object' && body !== null && 'connection' in body

/** The answer with the greatest status: of all that succeeded one, of those that did not the gravest. */
function worst(answers: readonly FleetAnswer[]): AdminAnswer {
  const [first] = answers.toSorted((a, b) => b.status - a.status)
  return first === undefined
    ? { status: 503, body: { error: 'no worker serves' } }
    : { status: first.status, body: first.body }
}

/** Rows of one route, control and code as one. */
function addUp(rows: readonly WouldDeny[]): readonly WouldDeny[] {
  const sums = new Map<string, WouldDeny>()
  for (const row of rows) {
    const key = `${row.route} ${row.control} ${row.code}`
    const known = sums.get(key)
    if (known === undefined) {
      sums.set(key, row)
      continue
    }
    const values = new Map(known.values.map(({ value, count }) => [value, count]))
    for (const { value, count } of row.values) values.set(value, (values.get(value) ?? 0) + count)
    sums.set(key, {
      ...known,
      count: known.count + row.count,
      first: known.first < row.first ? known.first : row.first,
      last: known.last > row.last ? known.last : row.last,
      values: Array.from(values, ([value, count]) => ({ value, count })).toSorted((a, b) => b.count - a.count),
      others: known.others + row.others,
    })
  }
  return [...sums.values()].toSorted((a, b) => b.count - a.count)
}
