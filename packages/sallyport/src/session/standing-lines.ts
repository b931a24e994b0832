import { createLookupLine, type LookupLine } from './lookup-line.ts'
import type { Limits, Waiting } from './lookup-networks.ts'
import { type Question, STRANGERS, STRANGERS_PER_SECOND } from './lookup-question.ts'

/** Look-ups at once, in all. */
const MOST_AT_ONCE = 64
/** Slots that only the known and the open may use, and only strangers: neither can starve the other. */
const KNOWN_ONLY = 16
const STRANGERS_ONLY = 8
/**
 * The same between the known, who come first, and the open: slots that only one of them may use. Few are kept from re-checks:
 * after a reload thousands of them must be answered within the grace.
 */
const HANDSHAKES_ONLY = 4
const OPEN_ONLY = 8

/** Units of the rate: a look-up takes one, and two more once it has failed. */
const FAILED_UNITS = 3

/** By size of the network: an address (IPv6: /64), its /56, its /48. */
function limitsOfStrangers({ perSecond, burst }: LookupRate): Limits[] {
  return [1, 2, 4].map(factor => ({
    places: STRANGERS.places * factor,
    atOnce: STRANGERS.atOnce * (1 + factor) * 0.5,
    perSecond: Math.max(STRANGERS_PER_SECOND, perSecond) * FAILED_UNITS * factor,
    burst: Math.max(STRANGERS_PER_SECOND, burst) * factor,
  }))
}
const OF_KNOWN: readonly Limits[] = [{ places: Infinity, atOnce: Infinity, perSecond: Infinity, burst: Infinity }]
const MOST_STRANGERS = 16_384
const MOST_KNOWN = 131_072

/** A look-up that several wait for. */
export interface Shared {
  answer: Promise<unknown> | null
  followers: number
}

/** The line of one standing. */
export interface StandingLine {
  readonly line: LookupLine
  /** What a look-up that failed costs, in units of the rate. */
  readonly failedUnits: number
  readonly shared: Map<string, Shared>
}

/** The line of each standing. */
export type StandingLines = Readonly<Record<Question<unknown>['standing'], StandingLine>>

/** So many look-ups, then so many a second. */
export interface LookupRate {
  readonly perSecond: number
  readonly burst: number
}

/** Slots that the known and the open may use together. */
const MOST_PROVEN = MOST_AT_ONCE - STRANGERS_ONLY

/**
 * Lines without anybody in them.
 *
 * @param perAddress what strangers of one address may ask, where that is more than the default
 * @param overall what strangers may ask in all
 */
export function createStandingLines(perAddress: LookupRate, overall: LookupRate, random: () => number): StandingLines {
  const proven = (atOnce: number): StandingLine => ({
    failedUnits: 1,
    shared: new Map(),
    line: createLookupLine({
      root: { places: MOST_KNOWN, atOnce, perSecond: Infinity, burst: Infinity },
      levels: OF_KNOWN,
      waitMs: Infinity,
      atRandom: false,
      random,
    }),
  })
  return {
    known: proven(MOST_PROVEN - OPEN_ONLY),
    open: proven(MOST_PROVEN - HANDSHAKES_ONLY),
    stranger: {
      failedUnits: FAILED_UNITS,
      shared: new Map(),
      line: createLookupLine({
        root: {
          places: MOST_STRANGERS,
          atOnce: MOST_AT_ONCE - KNOWN_ONLY,
          perSecond: overall.perSecond * FAILED_UNITS,
          burst: overall.burst * FAILED_UNITS,
        },
        levels: limitsOfStrangers(perAddress),
        waitMs: STRANGERS.waitMs,
        atRandom: true,
        random,
      }),
    },
  }
}

const runningProven = ({ known, open }: StandingLines): number => known.line.running + open.line.running

/** Look-ups that run. */
export function runningIn(lines: StandingLines): number {
  return runningProven(lines) + lines.stranger.line.running
}

/** Whether a slot is free for somebody of this line. */
export function hasSlot(lines: StandingLines, of: StandingLine): boolean {
  return runningIn(lines) < MOST_AT_ONCE && (of === lines.stranger || runningProven(lines) < MOST_PROVEN)
}

/** The next one whose turn it is, with a slot taken for it; null where nobody may begin. */
export function nextInTurn(lines: StandingLines, now: number): Waiting | null {
  const { known, open, stranger } = lines
  if (runningIn(lines) >= MOST_AT_ONCE) return null
  const [first, second] = open.line.running < OPEN_ONLY ? [open, known] : [known, open]
  return (hasSlot(lines, known) ? (first.line.next(now) ?? second.line.next(now)) : null) ?? stranger.line.next(now)
}
