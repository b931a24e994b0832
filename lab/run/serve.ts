import { createWorld, type World } from '../ground/world.ts'
import { loadFlaw } from './flaws.ts'
import type { Variant } from './verdict.ts'

/** Starts one flaw to play with by hand; resolves once it was interrupted and everything is closed. */
export async function serveFlaw(name: string, variant: Variant, say: (line: string) => void): Promise<void> {
  const interrupted = new Promise<void>(resolve => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve())
  })
  const loaded = await loadFlaw(name)
  const { flaw } = loaded
  const world = await createWorld({ flaw, name })
  const running = await loaded[variant](world.ground)
  try {
    say(`${flaw.title}: ${variant === 'guarded' ? `behind the guard, stopped by ${flaw.control}` : 'the flawed app'}`)
    say('')
    for (const line of directions(world)) say(line)
    say('\nEnd with Ctrl-C.\n')
    watch(world, say)
    await interrupted
  } finally {
    await running?.close?.()
    await world.close()
  }
}

function directions({ flaw, ground, victim, attacker }: World): readonly string[] {
  const signIn = victim.sameSite() === undefined ? '' : ', and sign in as ann'
  const first = `1. Open ${ground.origin}/${signIn}. Accept the certificate: it is self-signed.`
  if (flaw.kind === 'client') {
    return [
      first,
      '2. No browser is needed for the attack: connect with a client of your own to the socket at /ws, or see exploit.ts.',
      ...[...ground.accounts.values()].map(({ name, password }) => `   account ${name}, password ${password}`),
    ]
  }
  return [
    first,
    // A page whose certificate was never accepted cannot post.
    `2. Accept the certificate of the attacker's server too: ${attacker.address('https://evil.localhost')}loot`,
    ...flaw.attackers.map(({ origin }) => `3. Then, in the same browser: ${attacker.address(origin)}`),
  ]
}

/** Tells what the servers see, as it happens. */
function watch({ victim, attacker, witness }: World, say: (line: string) => void): void {
  const told = { loot: 0, events: 0, handshakes: 0, reports: 0 }
  const fresh = <T>(list: readonly T[], key: keyof typeof told): readonly T[] => {
    const news = list.slice(told[key])
    told[key] = list.length
    return news
  }
  void witness.until(() => {
    for (const { headers } of fresh(victim.handshakes, 'handshakes')) {
      const value = (name: string): string => headers.find(([key]) => key.toLowerCase() === name)?.[1] ?? 'none'
      say(`handshake  Origin ${value('origin')}, Cookie ${value('cookie')}`)
    }
    for (const { kind, control, code, detail } of fresh(victim.events, 'events')) {
      if (kind === 'denial') say(`denied     ${control}: ${code}, ${detail}`)
    }
    for (const { body } of fresh(attacker.loot, 'loot')) say(`stolen     ${body.slice(0, 200)}`)
    for (const report of fresh(victim.reports, 'reports')) say(`victim     ${report}`)
    return undefined
  }, new AbortController().signal)
}
