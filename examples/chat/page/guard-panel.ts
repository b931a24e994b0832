import type { Demo } from './api.ts'
import { byId, element } from './element.ts'

/** Says on the page what stands before it, and where the attacker is. */
export function drawGuardPanel({ guarded, attackers }: Demo): void {
  byId('app', HTMLElement).classList.toggle('unguarded', !guarded)
  byId('warning', HTMLElement).hidden = guarded
  byId('guard-word', HTMLElement).textContent = guarded ? 'Guarded' : 'Unguarded'
  byId('guard-mark', SVGPathElement).setAttribute('d', guarded ? 'M8.8 12.2l2.3 2.3 4.3-4.6' : 'M9.5 9.5l5 5m0-5l-5 5')
  byId('guard-title', HTMLElement).textContent = guarded
    ? 'Two doors stand before this chat'
    : 'Nothing stands before this chat'
  byId('guard-text', HTMLElement).textContent = guarded
    ? 'The handshake must come from this page, with your session and a single-use ticket. Every message must be one that the chat declared.'
    : 'The server asks for the session cookie and nothing else. The browser attaches it for whoever opens the connection.'
  byId('attackers', HTMLUListElement).replaceChildren(
    ...attackers.map(origin =>
      element('li', {}, element('a', { href: origin, target: '_blank', rel: 'noopener' }, new URL(origin).host)),
    ),
  )
}
