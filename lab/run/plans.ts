import type { BrowserId } from '../browsers/browser.ts'
import type { Plan } from './cell.ts'
import type { LoadedFlaw } from './flaws.ts'

/** Every cell of the table, in its order: flaw, attacker, browser, then vulnerable before guarded. */
export function plansOf(flaws: readonly LoadedFlaw[], browsers: readonly BrowserId[]): readonly Plan[] {
  const plans: Plan[] = []
  for (const loaded of flaws) {
    const { flaw } = loaded
    const rows =
      flaw.kind === 'client'
        ? [{ attacker: null, browser: null }]
        : flaw.attackers.flatMap(attacker =>
            browsers
              .filter(browser => attacker.runsIn?.includes(browser) ?? true)
              .map(browser => ({ attacker, browser })),
          )
    for (const row of rows) {
      plans.push({ loaded, variant: 'vulnerable', ...row }, { loaded, variant: 'guarded', ...row })
    }
  }
  return plans
}
