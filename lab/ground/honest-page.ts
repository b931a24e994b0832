import { connect } from 'sallyport/client'
import type { Honest } from './description.ts'

declare const HONEST: Honest & { readonly tickets: boolean }

/** What the app's own page does: fetches a ticket where there is a guard, connects, asks, and waits for its reply. */
const { tickets, send, reply } = HONEST
const socket = connect('/ws', tickets ? {} : { ticket: false, protocols: [] })

let reported = false
function report(worked: boolean, detail: string): void {
  if (reported) return
  reported = true
  document.getElementById('state')!.textContent = worked ? 'It works.' : `It does not work: ${detail}`
  socket.close()
  void fetch(`/report/${worked ? 'works' : 'fails'}`, { method: 'POST', body: detail })
}

socket.when('open', () => void socket.send(send))
socket.onMessage(message => {
  if (message.type === reply) report(true, reply)
})
socket.when('denied', ({ code }) => report(false, code))
socket.when('close', ({ code, reason }) => report(false, `closed ${code} ${reason}`))
socket.when('signin', () => report(false, 'told to sign in'))
socket.when('stop', ({ code }) => report(false, `stopped ${code}`))
socket.when('error', ({ code }) => report(false, `error ${code}`))
