import { build } from 'esbuild'
import { join } from 'node:path'
import type { Honest } from './description.ts'

/** What the victim's own pages are made of. */
export interface PageParts {
  readonly signsIn: boolean
  /** Whether a guard wants a ticket. */
  readonly tickets: boolean
  readonly password: (name: string) => string
  readonly honest: Honest
}

let bundled: Promise<string> | undefined

/** `honest-page.ts` and Sallyport's client, as one script. */
export function honestScript(): Promise<string> {
  bundled ??= build({
    entryPoints: [join(import.meta.dirname, 'honest-page.ts')],
    bundle: true,
    write: false,
    format: 'iife',
    conditions: ['sallyport-source'],
    logLevel: 'silent',
  }).then(({ outputFiles }) => outputFiles[0]!.text)
  return bundled
}

const page = (title: string, body: string): string =>
  `<!doctype html><html lang="en"><meta charset="utf-8"><title>${title}</title><link rel="icon" href="data:,">
<style>body{font:16px/1.5 system-ui;max-width:40rem;margin:3rem auto;padding:0 1rem;color-scheme:light dark}button{font:inherit}</style>
<h1>${title}</h1>${body}</html>`

const json = (value: unknown): string => JSON.stringify(value).replaceAll('<', '\\u003c')

/** `/`: signs in, by the button or at once where the address says `?as=ann`. */
export function signInPage({ signsIn, password }: PageParts, as: string | null): string {
  if (!signsIn)
    return page(
      'The shop',
      '<p id="state">This app has no sign-in.</p><script>fetch("/report/signed-in",{method:"POST"})</script>',
    )
  const name = as ?? 'ann'
  return page(
    'The shop',
    `<p><button id="sign-in">Sign in as ${name === 'bob' ? 'bob' : 'ann'}</button> <a href="/work">Work honestly</a></p><p id="state"></p>
<script>
const login = ${json({ name, password: password(name) })}
const signIn = async () => {
  const { ok } = await fetch('/login', { method: 'POST', body: JSON.stringify(login) })
  document.getElementById('state').textContent = ok ? 'Signed in as ' + login.name : 'Refused'
  await fetch('/report/signed-in', { method: 'POST' })
}
document.getElementById('sign-in').onclick = signIn
if (${json(as !== null)}) signIn()
</script>`,
  )
}

/** `/work`: the app's own page does what honest users do, and reports whether it worked. */
export function workPage({ tickets, honest }: PageParts): string {
  return page(
    'The shop, at work',
    `<p id="state">Connecting …</p>
<script>const HONEST = ${json({ tickets, ...honest })}</script><script src="/honest.js"></script>`,
  )
}
