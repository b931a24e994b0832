import type { RunningChat } from './chat.ts'
import { DEMO_ACCOUNTS } from './demo-content.ts'
import type { Options } from './options.ts'
import type { Paint } from './terminal-text.ts'

const more = (text: string): string => `  ${' '.repeat(12)}${text}`

/** What a person reads at the start: what to open, who to be, what to try. */
export function announcement({ origin, attackers }: RunningChat, options: Options, paint: Paint): string {
  const [sibling = '', crossSite = ''] = attackers
  const name = Math.max(...DEMO_ACCOUNTS.map(account => account.name.length))
  const url = (text: string): string => paint(['cyan', 'underline'], text)
  const row = (label: string, text: string): string => `  ${paint('bold', label.padEnd(12))}${text}`
  const mode = options.unguarded
    ? paint(['red', 'bold'], 'UNGUARDED: cookie session alone, as in too many apps. On loopback only.')
    : paint(['green', 'bold'], 'guarded: two doors and a keeper, locked by one policy')
  const [first = '', ...others] = DEMO_ACCOUNTS.map(account => `${account.name.padEnd(name)}  ${account.password}`)
  const outcome = options.unguarded
    ? [
        'It reads the private messages and deletes the account: hijacked.',
        'Then run npm start without --unguarded: same app, refused.',
      ]
    : [
        'It is refused, and the line below says why. Then try the same app without its guard:',
        paint('bold', 'npm start -- --unguarded'),
      ]
  return [
    '',
    row('Sallyport', mode),
    '',
    row('Open', url(origin)),
    more(paint('dim', 'The certificate is made on this machine for *.localhost; tell the browser to go on.')),
    '',
    row('Sign in', first),
    ...others.map(more),
    '',
    row('Try', 'Sign in, then open the attacker’s page in the same browser:'),
    more(`${url(sibling)}   ${paint('dim', 'a sibling subdomain: SameSite never stops it')}`),
    more(
      `${url(crossSite)}${' '.repeat(Math.max(0, sibling.length - crossSite.length))}   ${paint('dim', `another site (SameSite is ${options.sameSite} here)`)}`,
    ),
    ...outcome.map(more),
    '',
    row('End', 'Ctrl-C'),
    '',
    '',
  ].join('\n')
}
