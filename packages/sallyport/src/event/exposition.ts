import type { CountersSnapshot } from './counts.ts'

interface Sample {
  readonly labels?: { readonly [name: string]: string }
  readonly value: number
}

const escapeLabel = (value: string): string =>
  value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')

const sampleLine = (name: string, { labels, value }: Sample): string => {
  const pairs = Object.entries(labels ?? {}).map(([label, text]) => `${label}="${escapeLabel(text)}"`)
  return `${name}${pairs.length > 0 ? `{${pairs.join(',')}}` : ''} ${value}\n`
}

const family = (name: string, type: 'counter' | 'gauge', help: string, samples: readonly Sample[]): string =>
  `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${samples.map(sample => sampleLine(name, sample)).join('')}`

/** Counters in the Prometheus text exposition format 0.0.4. */
export function exposition(counts: CountersSnapshot): string {
  return [
    family(
      'sallyport_denials_total',
      'counter',
      'Denials by control, code and route; enforced is false in report mode.',
      counts.denials.map(({ control, code, route, enforced, count }) => ({
        labels: { control, code, route, enforced: String(enforced) },
        value: count,
      })),
    ),
    family(
      'sallyport_connections_opened_total',
      'counter',
      'Connections that passed the handshake door, by route.',
      Object.entries(counts.openedByRoute).map(([route, value]) => ({ labels: { route }, value })),
    ),
    family('sallyport_connections_closed_total', 'counter', 'Connections that ended.', [{ value: counts.closed }]),
    family('sallyport_connections_open', 'gauge', 'Connections open now.', [{ value: counts.open }]),
    family('sallyport_messages_total', 'counter', 'Messages by direction.', [
      { labels: { direction: 'in' }, value: counts.messagesIn },
      { labels: { direction: 'out' }, value: counts.messagesOut },
    ]),
    family('sallyport_message_bytes_total', 'counter', 'Bytes of messages by direction.', [
      { labels: { direction: 'in' }, value: counts.bytesIn },
      { labels: { direction: 'out' }, value: counts.bytesOut },
    ]),
    family(
      'sallyport_report_only',
      'gauge',
      '1 for each control that only reports and denies nothing.',
      counts.reporting.map(control => ({ labels: { control }, value: 1 })),
    ),
    family('sallyport_tickets_issued_total', 'counter', 'Tickets issued.', [{ value: counts.ticketsIssued }]),
    family('sallyport_event_failures_total', 'counter', 'Listeners and log lines that threw.', [
      { labels: { part: 'listener' }, value: counts.listenerFailures },
      { labels: { part: 'log' }, value: counts.logFailures },
    ]),
  ].join('')
}
