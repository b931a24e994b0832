import { STEP_MS, type BrowserId, type LabBrowser, type Profile } from '../browsers/browser.ts'
import type { Loot } from '../ground/attacker.ts'
import { COOKIE_TRAVELS } from '../ground/cookie-matrix.ts'
import type { AttackerSite, Flaw } from '../ground/description.ts'
import type { SameSite } from '../ground/ground.ts'
import type { Handshake } from '../ground/handshakes.ts'
import { relationOf } from '../ground/names.ts'
import { targetOf } from '../ground/target.ts'
import { createWorld, type World } from '../ground/world.ts'
import type { LoadedFlaw } from './flaws.ts'
import { type Evidence, expectedVerdict, judge, type Variant, type Verdict } from './verdict.ts'

/** One run: which flaw, from where, in which browser, guarded or not. */
export interface Plan {
  readonly loaded: LoadedFlaw
  readonly variant: Variant
  /** Null for a raw client. */
  readonly browser: BrowserId | null
  readonly attacker: AttackerSite | null
  /** Overrules the app's SameSite: for the cookie matrix. */
  readonly sameSite?: SameSite
}

/** What became of it, and what the servers saw. */
export interface Cell {
  readonly flaw: string
  readonly variant: Variant
  readonly browser: BrowserId | 'client'
  /** The attacker's origin, without its port; `raw client` where there is no page. */
  readonly attacker: string
  readonly verdict: Verdict
  readonly expected: Verdict
  readonly why: string
  readonly evidence: Evidence
  readonly loot: readonly Loot[]
  readonly handshakes: readonly Handshake[]
  readonly ms: number
}

/** Longest that one run may take, in ms: what is not decided by then proves nothing. */
export const DEADLINE_MS = 30_000

/** Whether the attack is expected to succeed on the flawed app. */
export function succeeds({ loaded, browser, attacker, sameSite }: Plan): boolean {
  const { flaw } = loaded
  if (flaw.kind === 'client' || browser === null || attacker === null) return true
  if (attacker.succeedsIn !== undefined && sameSite === undefined) return attacker.succeedsIn.includes(browser)
  const cookie = sameSite ?? flaw.sameSite
  const relation = relationOf(attacker.origin, attacker.framed, attacker.popup)
  return cookie === undefined || COOKIE_TRAVELS[browser][relation].includes(cookie)
}

/** Runs one cell. It never throws: what goes wrong is an `error` cell. */
export async function runCell(plan: Plan, browser: LabBrowser | null, deadlineMs: number = DEADLINE_MS): Promise<Cell> {
  const { loaded, variant, attacker, sameSite } = plan
  const { name, flaw } = loaded
  const started = performance.now()
  const deadline = new AbortController()
  const timer = setTimeout(() => deadline.abort(new Error(`nothing decided within ${deadlineMs / 1000} s`)), deadlineMs)
  const { signal } = deadline
  let world: World | undefined
  let close: (() => void | Promise<void>) | undefined
  let evidence: Evidence = { hijacked: false, finished: false, denials: [], honest: null }
  let failure = ''
  try {
    world = await createWorld({
      flaw,
      name,
      ...(sameSite && { sameSite }),
      ...(browser && { firstAddress: browser.firstAddress }),
    })
    const running = await loaded[variant](world.ground)
    close = running?.close?.bind(running)
    assertAsDescribed(flaw, world, variant, sameSite)
    evidence = await (browser === null || attacker === null
      ? attackByClient(plan, world, signal)
      : attackByPage(plan, world, browser, attacker, signal))
  } catch (error) {
    failure = error instanceof Error ? error.message.split('\n', 1)[0]! : String(error)
    // What was seen before it went wrong still counts against the guard.
    if (world?.hijacked()) evidence = { ...evidence, hijacked: true }
  } finally {
    clearTimeout(timer)
  }
  const { loot, finished } = world?.attacker ?? { loot: [], finished: [] }
  const handshakes = world?.victim.handshakes.map(handshake => ({ ...handshake })) ?? []
  const stolen = [...loot]
  try {
    await close?.()
  } catch (error) {
    failure ||= `the app's close: ${String(error)}`
  }
  await world?.close()

  const willSucceed = succeeds(plan)
  const judged = judge(variant, flaw.control, willSucceed, evidence)
  const failed = failure !== '' && judged.verdict !== 'hijacked'
  const said = finished.length > 0 && judged.verdict === 'error' ? `; the exploit said: ${finished.join(', ')}` : ''
  return {
    flaw: name,
    variant,
    browser: plan.browser ?? 'client',
    attacker: attacker === null ? 'raw client' : attackerName(attacker),
    verdict: failed ? 'error' : judged.verdict,
    expected: expectedVerdict(variant, willSucceed),
    why: (failed ? failure : judged.why) + said,
    evidence,
    loot: stolen,
    handshakes,
    ms: Math.round(performance.now() - started),
  }
}

/** How the table calls an attacker's page. */
function attackerName({ origin, framed, popup }: AttackerSite): string {
  return origin + (framed ? ', framed' : '') + (popup ? ', popup' : '')
}

function assertAsDescribed(flaw: Flaw, { victim }: World, variant: Variant, forced: SameSite | undefined): void {
  const sameSite = victim.sameSite()
  if (forced === undefined && flaw.kind === 'browser' && sameSite !== flaw.sameSite) {
    throw new Error(`flaw.ts says SameSite ${flaw.sameSite}, the app sets ${sameSite}`)
  }
  if (victim.guarded() !== (variant === 'guarded')) {
    throw new Error(variant === 'guarded' ? 'guarded.ts did not call ground.use(guard)' : 'app.ts is guarded')
  }
}

function denialsOf({ victim }: World): Evidence['denials'] {
  return victim.events.flatMap(({ kind, control, code, enforced }) =>
    kind === 'denial' && control !== undefined && code !== undefined
      ? [{ control, code, enforced: enforced !== false }]
      : [],
  )
}

async function attackByPage(
  { variant, loaded }: Plan,
  world: World,
  browser: LabBrowser,
  attacker: AttackerSite,
  signal: AbortSignal,
): Promise<Evidence> {
  const { victim, witness, ground } = world
  const open = async (profile: Profile, url: string): ReturnType<Profile['open']> => {
    signal.throwIfAborted()
    return profile.open(url)
  }
  const reported = (names: readonly string[]): Promise<string> =>
    witness.until(() => victim.reports.find(report => names.includes(report.split(':', 1)[0]!)), signal)

  const profile = await browser.profile()
  try {
    if (victim.sameSite() !== undefined) {
      const home = await open(profile, `${ground.origin}/${attacker.popup ? '' : '?as=ann'}`)
      if (attacker.popup) await home.click('#sign-in')
      await reported(['signed-in'])
    }
    const page = await open(profile, world.attacker.address(attacker.origin))
    if (attacker.popup) {
      const popup = await page.clickThrough('#open')
      await popup.click('h1')
      await page.click('#go')
    }
    await witness.until(() => (world.hijacked() || world.attacker.finished.length > 0 ? true : undefined), signal)
    const denials = denialsOf(world)
    let honest: string | null = null
    if (variant === 'guarded') {
      if (loaded.flaw.honest.as === 'bob') await open(profile, `${ground.origin}/?as=bob`)
      await open(profile, `${ground.origin}/work`)
      honest = await reported(['works', 'fails'])
    }
    return { hijacked: world.hijacked(), finished: world.attacker.finished.length > 0, denials, honest }
  } finally {
    await within(STEP_MS, profile.close())
  }
}

async function attackByClient({ loaded, variant }: Plan, world: World, signal: AbortSignal): Promise<Evidence> {
  const target = targetOf(world, signal)
  await abortable(loaded.attack!(target), signal)
  const denials = denialsOf(world)
  const honest = variant === 'guarded' ? await abortable(workHonestly(world, signal), signal) : null
  return { hijacked: world.hijacked(), finished: true, denials, honest }
}

async function workHonestly(world: World, signal: AbortSignal): Promise<string> {
  const { send, reply, as = 'ann' } = world.flaw.honest
  const signsIn = world.victim.sameSite() !== undefined
  const socket = await targetOf(world, signal).connect(signsIn ? { as } : {})
  if (socket === null) return 'fails: the handshake was refused'
  try {
    return await new Promise<string>((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
      socket.on('close', (code, reason) => resolve(`fails: closed ${code} ${String(reason)}`))
      socket.on('message', (data: Buffer) => {
        const { type, code } = JSON.parse(data.toString()) as { type?: unknown; code?: unknown }
        if (type === reply) resolve(`works: ${reply}`)
        else if (type === 'error') resolve(`fails: ${String(code)}`)
      })
      socket.send(JSON.stringify(send))
    })
  } finally {
    socket.terminate()
  }
}

function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return Promise.race([
    work,
    new Promise<never>((_resolve, reject) => {
      if (signal.aborted) reject(signal.reason as Error)
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
    }),
  ])
}

/** A browser that does not close a tab is ended with its group; nobody waits for it. */
function within(ms: number, work: Promise<void>): Promise<void> {
  return new Promise(resolve => {
    const timer = setTimeout(resolve, ms)
    const end = (): void => {
      clearTimeout(timer)
      resolve()
    }
    work.then(end, end)
  })
}
