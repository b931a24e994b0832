import { BROWSERS } from '../browsers/catalogue.ts'
import type { Cell } from './cell.ts'
import type { LoadedFlaw } from './flaws.ts'
import { asExpected, type Pair, rowsOf } from './table.ts'

/** The page's look, light and dark by the reader's own setting. */
const PAGE_STYLE = `
:root { color-scheme: light dark; --line: light-dark(#d9dde3, #353b45); --soft: light-dark(#f4f5f7, #1d2127); --dim: light-dark(#5b6472, #9aa4b2);
  --red: light-dark(#b3261e, #ff8a80); --green: light-dark(#18703a, #6fdc98); --amber: light-dark(#8a5a00, #ffc65c); }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 90rem; margin: 0 auto; padding: 2rem 1.5rem 6rem; background: light-dark(#fff, #14171b); color: light-dark(#1b1f24, #e6e9ee); }
h1 { font-size: 1.7rem; margin: 0; } h2 { font-size: 1.2rem; margin-top: 3rem; }
.small { font-size: .85rem; color: var(--dim); }
.good { color: var(--green); font-weight: 600; } .bad { color: var(--amber); font-weight: 600; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
thead th { position: sticky; top: 0; background: light-dark(#fff, #14171b); text-align: left; padding: .5rem .75rem; border-bottom: 2px solid var(--line); white-space: nowrap; }
tbody th, tbody td { text-align: left; font-weight: 400; padding: .35rem .75rem; border-bottom: 1px solid var(--line); white-space: nowrap; }
tbody th[scope=row] { font-family: ui-monospace, monospace; font-size: .8rem; color: var(--dim); }
tr.flaw th { background: var(--soft); padding-top: .6rem; white-space: normal; }
tr.flaw code { float: right; color: var(--dim); }
.then { color: var(--dim); margin: 0 .35rem; }
.hijacked { color: var(--red); } .stopped { color: var(--green); } .blocked { color: var(--dim); } .error { color: var(--amber); font-weight: 700; }
a { text-decoration: none; border-radius: .25rem; } a:hover { text-decoration: underline; } a:focus-visible, summary:focus-visible { outline: 2px solid currentColor; outline-offset: 2px; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem .8rem; margin: 1.5rem 0; } dd { margin: 0; }
details { border: 1px solid var(--line); border-radius: .5rem; margin: .4rem 0; padding: .5rem .9rem; } summary { cursor: pointer; }
details:target { border-color: currentColor; }
.facts { width: auto; margin: .6rem 0; } .facts th, .facts td { border: 0; padding: .1rem .9rem .1rem 0; white-space: normal; }
pre { background: var(--soft); border-radius: .4rem; padding: .7rem .9rem; overflow-x: auto; font: .8rem/1.45 ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere; }
`

/** What the page is made of. */
export interface PageParts {
  readonly cells: readonly Cell[]
  readonly versions: Readonly<Record<string, string>>
  readonly flaws: readonly LoadedFlaw[]
  readonly seconds: number
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** What attackers sent stands on this page: everything that is not markup of ours goes through here. */
export function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, character => ESCAPES[character]!)
}

/** The result as one self-contained page: the table, and behind each cell what the servers saw. */
export function htmlPage({ cells, versions, flaws, seconds }: PageParts): string {
  const ids = new Map(cells.map((cell, at) => [cell, `c${at}`]))
  const shown = BROWSERS.filter(({ id }) => cells.some(({ browser }) => browser === id))
  const rows = rowsOf(cells, flaws)
  const wrong = cells.filter(cell => !asExpected(cell)).length

  const chip = (cell: Cell | undefined): string =>
    cell === undefined
      ? '–'
      : `<a href="#${ids.get(cell)}" class="${asExpected(cell) ? cell.verdict : 'error'}">${cell.verdict}${asExpected(cell) ? '' : '!'}</a>`
  const pair = (of: Pair | undefined): string =>
    of === undefined ? '' : `${chip(of.vulnerable)}<span class="then">→</span>${chip(of.guarded)}`
  const body = rows.map(({ flaw, described, attacker, pairs }, at) => {
    const head =
      rows[at - 1]?.flaw === flaw
        ? ''
        : `<tr class="flaw"><th colspan="${shown.length + 1}"><b>${escapeHtml(flaw)}</b> ${escapeHtml(described.title)} <code>${described.control}</code></th></tr>`
    const columns =
      described.kind === 'client'
        ? `<td colspan="${shown.length}">${pair(pairs.get('client'))}</td>`
        : shown.map(({ id }) => `<td>${pair(pairs.get(id))}</td>`).join('')
    return `${head}<tr><th scope="row">${escapeHtml(attacker)}</th>${columns}</tr>`
  })

  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>Sallyport lab</title>
<style>${PAGE_STYLE}</style>
<header>
<h1>Every attack, in real browsers</h1>
<p>Left of each arrow the flawed app, right of it the same app behind Sallyport. A cell opens what the servers saw.</p>
<p class="${wrong === 0 ? 'good' : 'bad'}">${cells.length - wrong} of ${cells.length} cells as described, in ${Math.round(seconds)} s</p>
<p class="small">${[...new Set(Object.values(versions))].map(escapeHtml).join(' · ')}</p>
</header>
<main>
<div class="scroll"><table>
<thead><tr><th>attacker’s page</th>${shown.map(({ title }) => `<th scope="col">${escapeHtml(title)}</th>`).join('')}</tr></thead>
<tbody>${body.join('\n')}</tbody>
</table></div>
<dl class="small">
<dt class="hijacked">hijacked</dt><dd>The attacker’s server holds the victim’s secret, or the victim’s state was changed.</dd>
<dt class="blocked">blocked</dt><dd>The flawed app was spared: the browser kept the cookie back.</dd>
<dt class="stopped">stopped</dt><dd>The named control alone refused the attack, and the honest client works in the same run.</dd>
<dt class="error">error</dt><dd>Anything else: it proves nothing.</dd>
</dl>
<h2>What the servers saw</h2>
${cells.map(cell => details(cell, ids.get(cell)!)).join('\n')}
</main>
<script>
const show = () => { const cell = document.getElementById(location.hash.slice(1)); if (cell) { cell.open = true; cell.scrollIntoView() } }
addEventListener('hashchange', show); show()
</script>
</html>
`
}

function details(cell: Cell, id: string): string {
  const { flaw, attacker, browser, variant, verdict, expected, why, evidence, loot, handshakes, ms } = cell
  const name = browser === 'client' ? '' : ` in ${browser}`
  const facts = [
    ['Verdict', verdict === expected ? verdict : `${verdict}, expected ${expected}`],
    ...(why ? [['Why', why]] : []),
    ...evidence.denials.map(({ control, code }) => ['Denied by', `${control}: ${code}`]),
    ...(evidence.honest === null ? [] : [['Honest client', evidence.honest]]),
    ['Took', `${ms} ms`],
  ]
  const stolen =
    loot.length === 0
      ? '<p>The attacker’s server received nothing.</p>'
      : `<p>The attacker’s server received:</p>${loot
          .slice(0, 20)
          .map(
            ({ origin, body }) =>
              `<pre>${escapeHtml(origin && `from ${origin}\n`)}${escapeHtml(body.slice(0, 2000))}</pre>`,
          )
          .join('')}`
  const seen = handshakes
    .slice(0, 20)
    .map(
      ({ target, headers, answer }) =>
        `<pre>GET ${escapeHtml(target)}\n${headers.map(([key, value]) => `<b>${escapeHtml(key)}</b>: ${escapeHtml(value)}`).join('\n')}\n\n→ ${escapeHtml(answer ?? 'no answer')}</pre>`,
    )
    .join('')
  return `<details id="${id}"><summary><span class="${verdict === expected ? verdict : 'error'}">${verdict}</span> ${escapeHtml(flaw)}, ${variant}, from ${escapeHtml(attacker)}${name}</summary>
<table class="facts">${facts.map(([key, value]) => `<tr><th scope="row">${key}</th><td>${escapeHtml(value!)}</td></tr>`).join('')}</table>
${stolen}<p>Handshakes at the victim’s server: ${handshakes.length}</p>${seen}</details>`
}
