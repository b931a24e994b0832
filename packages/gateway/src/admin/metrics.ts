import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client'
import type { CountersSnapshot, Guard } from 'sallyport'
import type { Running } from '../runtime/running.ts'

/** Metrics of a running gateway. */
export interface Metrics {
  readonly contentType: string
  /** Prometheus text. */
  text(): Promise<string>
  /** The same as data, to be added up over several processes. */
  json(): Promise<readonly object[]>
}

/** What a route counted under guards that a reload has replaced, so that no counter of it ever falls. */
interface Tally {
  guard: Guard
  before: Totals
}

interface Totals {
  readonly numbers: { readonly [name: string]: number }
  readonly denials: ReadonlyMap<string, number>
}

/**
 * Metrics for Prometheus. Labels are routes, upstreams and targets of the configuration, and the control and code of the
 * library's tables: clients cannot create new time series.
 */
export function createMetrics(running: Running): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const make = metricMakers(registry)
  const routes = routeMetrics(make)
  const whole = processMetrics(make)
  const tallies = new Map<string, Tally>()

  const totalsOf = (route: string, guard: Guard): Totals => {
    const known = tallies.get(route)
    if (known === undefined || known.guard !== guard) {
      const before = known === undefined ? NOTHING : sum(known.before, totals(known.guard.counters()))
      tallies.set(route, { guard, before })
    }
    return sum(tallies.get(route)!.before, totals(guard.counters()))
  }

  const collect = (): void => {
    for (const metric of [...Object.values(routes), ...Object.values(whole)]) metric.reset()
    const { guards } = running.gateway
    for (const route of tallies.keys()) if (!guards.has(route)) tallies.delete(route)
    for (const [route, guard] of guards) collectRoute(routes, route, guard, totalsOf(route, guard))
    collectProcess(whole, running)
  }

  return {
    contentType: registry.contentType,
    text() {
      collect()
      return registry.metrics()
    },
    json() {
      collect()
      return registry.getMetricsAsJSON()
    },
  }
}

/** Makes counters and gauges of one registry. */
interface MetricMakers {
  readonly counter: <L extends string>(name: string, help: string, ...labelNames: L[]) => Counter<L>
  readonly gauge: <L extends string>(
    name: string,
    help: string,
    aggregator: 'sum' | 'min' | 'max',
    ...labelNames: L[]
  ) => Gauge<L>
}

function metricMakers(registry: Registry): MetricMakers {
  const counter = <L extends string>(name: string, help: string, ...labelNames: L[]): Counter<L> =>
    new Counter({
      name,
      help,
      labelNames,
      registers: [registry],
      aggregator: name === 'sallyport_reloads_total' ? 'max' : 'sum',
    })
  // How several workers' are added up: connections by their sum, states by the worst.
  const gauge = <L extends string>(
    name: string,
    help: string,
    aggregator: 'sum' | 'min' | 'max',
    ...labelNames: L[]
  ): Gauge<L> => new Gauge({ name, help, labelNames, registers: [registry], aggregator })
  return { counter, gauge }
}

/** What is counted of each route. */
interface RouteMetrics {
  readonly denials: Counter<'route' | 'control' | 'code' | 'enforced'>
  readonly opened: Counter<'route'>
  readonly closed: Counter<'route'>
  readonly open: Gauge<'route'>
  readonly messages: Counter<'route' | 'direction'>
  readonly bytes: Counter<'route' | 'direction'>
  readonly reporting: Gauge<'route' | 'control'>
  readonly tickets: Counter<'route'>
}

function routeMetrics({ counter, gauge }: MetricMakers): RouteMetrics {
  const denials = counter(
    'sallyport_denials_total',
    'Denials; enforced is false in report mode.',
    'route',
    'control',
    'code',
    'enforced',
  )
  const opened = counter('sallyport_connections_opened_total', 'Connections that passed the handshake door.', 'route')
  const closed = counter('sallyport_connections_closed_total', 'Connections that ended.', 'route')
  const open = gauge('sallyport_connections_open', 'Connections open now.', 'sum', 'route')
  const messages = counter('sallyport_messages_total', 'Messages; in is from the client.', 'route', 'direction')
  const bytes = counter(
    'sallyport_message_bytes_total',
    'Bytes of messages; in is from the client.',
    'route',
    'direction',
  )
  const reporting = gauge(
    'sallyport_report_only',
    '1 for each control of a route that only reports.',
    'max',
    'route',
    'control',
  )
  const tickets = counter('sallyport_tickets_issued_total', 'Tickets issued.', 'route')
  return { denials, opened, closed, open, messages, bytes, reporting, tickets }
}

/** What is counted of the gateway as a whole. */
interface ProcessMetrics {
  readonly connections: Gauge<'upstream' | 'target'>
  readonly healthy: Gauge<'upstream' | 'target'>
  readonly refusals: Counter<'listener' | 'reason'>
  readonly reloads: Counter<'result'>
  readonly loaded: Gauge
  readonly draining: Gauge
}

function processMetrics({ counter, gauge }: MetricMakers): ProcessMetrics {
  const connections = gauge(
    'sallyport_upstream_connections',
    'Connections open to a backend.',
    'sum',
    'upstream',
    'target',
  )
  const healthy = gauge(
    'sallyport_upstream_healthy',
    '1 where a backend is given connections.',
    'min',
    'upstream',
    'target',
  )
  const refusals = counter(
    'sallyport_refusals_total',
    'Refused before it reached a route: no route, no HTTP, no TLS, too many.',
    'listener',
    'reason',
  )
  const reloads = counter('sallyport_reloads_total', 'Reloads; refused ones left the old configuration.', 'result')
  const loaded = gauge('sallyport_config_loaded_timestamp_seconds', 'When the configuration in force was read.', 'min')
  const draining = gauge('sallyport_draining', '1 while the gateway lets its connections go.', 'max')
  return { connections, healthy, refusals, reloads, loaded, draining }
}

function collectRoute(metrics: RouteMetrics, route: string, guard: Guard, { numbers, denials }: Totals): void {
  const is = (name: string): number => numbers[name] ?? 0
  metrics.opened.inc({ route }, is('opened'))
  metrics.closed.inc({ route }, is('closed'))
  metrics.open.set({ route }, guard.counters().open)
  metrics.messages.inc({ route, direction: 'in' }, is('messagesIn'))
  metrics.messages.inc({ route, direction: 'out' }, is('messagesOut'))
  metrics.bytes.inc({ route, direction: 'in' }, is('bytesIn'))
  metrics.bytes.inc({ route, direction: 'out' }, is('bytesOut'))
  metrics.tickets.inc({ route }, is('ticketsIssued'))
  for (const control of guard.counters().reporting) metrics.reporting.set({ route, control }, 1)
  for (const [key, count] of denials) {
    const [control = '', code = '', enforced = ''] = key.split(' ')
    metrics.denials.inc({ route, control, code, enforced }, count)
  }
}

function collectProcess(metrics: ProcessMetrics, running: Running): void {
  for (const { upstream, target, open, healthy } of running.gateway.targets()) {
    metrics.connections.inc({ upstream, target }, open)
    metrics.healthy.set({ upstream, target }, healthy ? 1 : 0)
  }
  for (const { listener, reason, count } of running.gateway.refusals())
    metrics.refusals.inc({ listener, reason }, count)
  metrics.reloads.inc({ result: 'taken' }, running.reloads.taken)
  metrics.reloads.inc({ result: 'refused' }, running.reloads.refused)
  metrics.loaded.set(running.loadedAt / 1000)
  metrics.draining.set(running.draining ? 1 : 0)
}

const NOTHING: Totals = { numbers: {}, denials: new Map() }
const SUMMED = ['opened', 'closed', 'messagesIn', 'messagesOut', 'bytesIn', 'bytesOut', 'ticketsIssued'] as const

function totals(snapshot: CountersSnapshot): Totals {
  const denials = new Map<string, number>()
  // Paths are not told apart: the route is.
  for (const { control, code, enforced, count } of snapshot.denials) {
    const key = `${control} ${code} ${enforced}`
    denials.set(key, (denials.get(key) ?? 0) + count)
  }
  return { numbers: Object.fromEntries(SUMMED.map(name => [name, snapshot[name]])), denials }
}

function sum(a: Totals, b: Totals): Totals {
  const denials = new Map(a.denials)
  for (const [key, count] of b.denials) denials.set(key, (denials.get(key) ?? 0) + count)
  return {
    numbers: Object.fromEntries(SUMMED.map(name => [name, (a.numbers[name] ?? 0) + (b.numbers[name] ?? 0)])),
    denials,
  }
}
