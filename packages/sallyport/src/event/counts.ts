/** Denials of one control, code and route. */
export interface DenialCount {
  readonly control: string
  readonly code: string
  /** A declared or learned path, or `other`. */
  readonly route: string
  readonly enforced: boolean
  readonly count: number
}

/** All counters at one instant. */
export interface CountersSnapshot {
  readonly denials: readonly DenialCount[]
  readonly opened: number
  readonly closed: number
  /** Connections open now. */
  readonly open: number
  readonly openedByRoute: { readonly [route: string]: number }
  readonly messagesIn: number
  readonly messagesOut: number
  readonly bytesIn: number
  readonly bytesOut: number
  readonly ticketsIssued: number
  /** Controls that only report. */
  readonly reporting: readonly string[]
  /** Listeners that threw. */
  readonly listenerFailures: number
  /** Lines that the logger threw on. */
  readonly logFailures: number
}
