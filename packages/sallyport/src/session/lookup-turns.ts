import type { Clock, Randomness, Timer, Timers } from '../model/runtime.ts'
import { isThenable } from '../model/thenable.ts'
import type { Awaitable } from '../model/verdict.ts'
import { LookupRefused, type Question, refusalOf } from './lookup-question.ts'
import { nextInTurn, type StandingLine, type StandingLines } from './standing-lines.ts'

/** What a queue holds. */
export interface QueueState {
  readonly lines: StandingLines
  /** Longest look-up, in ms. */
  readonly lookMs: number
  readonly runtime: Pick<Clock, 'monotonic'> & Pick<Randomness, 'random'> & Timers
  /** Running look-ups in the order in which they began. */
  readonly begun: Set<{ readonly end: number; readonly late: () => void }>
  timer: Timer | undefined
  /** When the timer fires, in ms. */
  timerAt: number
  /** One that answers at once for some may still need time for others. */
  answersAtOnce: boolean
  takesTime: boolean
}

/** Begins look-ups while there are slots and somebody whose turn it is. */
export function beginNext(queue: QueueState): void {
  const { lines, runtime } = queue
  const at = runtime.monotonic()
  for (let next = nextInTurn(lines, at); next !== null; next = nextInTurn(lines, at)) next.begin()
  wakeLater(queue)
}

function wake(queue: QueueState): void {
  const { lines, runtime, begun } = queue
  queue.timer = undefined
  queue.timerAt = Infinity
  const at = runtime.monotonic()
  for (const look of begun) {
    if (look.end > at) break
    look.late()
  }
  for (const waiting of lines.stranger.line.overdue(at)) waiting.refuse(refusalOf('late', runtime.random))
  for (const { line } of [lines.known, lines.open, lines.stranger]) line.wake(at)
  beginNext(queue)
}

function wakeLater(queue: QueueState): void {
  const { known, open, stranger } = queue.lines
  const { runtime } = queue
  const [first] = queue.begun
  const at = Math.min(first?.end ?? Infinity, stranger.line.dueAt(), known.line.dueAt(), open.line.dueAt())
  if (at >= queue.timerAt || at === Infinity) return
  runtime.clearTimeout(queue.timer)
  queue.timerAt = at
  queue.timer = runtime.setTimeout(() => wake(queue), Math.max(1, Math.ceil(at - runtime.monotonic())))
  queue.timer.unref()
}

/** Runs one look-up in a slot that was taken for it. */
export function runLookup<T>(
  queue: QueueState,
  { line, failedUnits }: StandingLine,
  question: Question<T>,
  networks: readonly string[],
): Awaitable<T> {
  const finish = (units: number): void => line.finish(networks, units, queue.runtime.monotonic())
  let answer: Awaitable<T>
  try {
    answer = question.look()
  } catch (error) {
    finish(0)
    throw error
  }
  if (!isThenable(answer)) {
    queue.answersAtOnce = true
    finish(question.failed(answer) ? failedUnits - 1 : 0)
    return answer
  }
  queue.takesTime = true
  return awaitLookup(queue, answer, found => (question.failed(found) ? failedUnits - 1 : 0), finish)
}

/** Waits for an answer, at most for the longest look-up. `unitsOf`: what it costs beyond the one unit it took. */
function awaitLookup<T>(
  queue: QueueState,
  answer: PromiseLike<T>,
  unitsOf: (found: T) => number,
  finish: (units: number) => void,
): Promise<T> {
  const { begun, lookMs, runtime } = queue
  return new Promise<T>((resolve, reject) => {
    const look = {
      end: runtime.monotonic() + lookMs,
      late: () => {
        done(0)
        reject(new LookupRefused('timeout', lookMs))
      },
    }
    const done = (units: number): void => {
      if (begun.delete(look)) finish(units)
    }
    begun.add(look)
    wakeLater(queue)
    Promise.resolve(answer).then(
      found => {
        done(unitsOf(found))
        resolve(found)
        beginNext(queue)
      },
      (error: unknown) => {
        done(0)
        reject(error)
        beginNext(queue)
      },
    )
  })
}
