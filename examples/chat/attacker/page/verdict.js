// Tells the person what happened. The attack itself is attack.js; this only watches its socket.
const root = document.documentElement
const show = (verdict, title, text) => {
  root.dataset.verdict = verdict
  document.querySelector('#verdict').textContent = title
  document.querySelector('#explanation').textContent = text
}
const item = (term, text) => {
  const row = document.createElement('li')
  const label = document.createElement('strong')
  label.textContent = term
  row.append(label, ' ', text)
  document.querySelector('#stolen').append(row)
  document.querySelector('#loot').hidden = false
}

function watch(socket) {
  let opened = false
  let received = 0
  socket.addEventListener('open', () => {
    opened = true
  })
  socket.addEventListener('message', event => {
    received++
    show('running', 'Hijacking…', 'The connection is open, and it speaks as you.')
    const message = JSON.parse(event.data)
    if (message.type === 'welcome') item('You are', message.you)
    if (message.type === 'privateMessages') {
      for (const { from, to, text } of message.messages) item(`${from} → ${to}:`, text)
    }
    if (message.type === 'accountDeleted') item('Account:', 'deleted, by a page you only looked at')
  })
  socket.addEventListener('close', event => {
    if (received > 0) {
      show(
        'hijacked',
        'HIJACKED',
        'Your browser opened the chat’s WebSocket for this page and attached your session cookie. The server let it in.',
      )
    } else if (opened) {
      show(
        'refused',
        'Nothing stolen',
        'The server let the connection in, but your browser kept the session cookie back (SameSite, or nobody is signed in). The next attacker comes from a sibling subdomain.',
      )
    } else {
      show(
        'refused',
        'REFUSED',
        'The handshake was turned away before it became a connection. The server’s terminal says why.',
      )
    }
    root.dataset.closeCode = String(event.code)
  })
  document.querySelector('#target').textContent = socket.url
}

// The attack opens its socket as soon as it is loaded. Who began to listen in a script behind it could be too late.
globalThis.WebSocket = class extends WebSocket {
  constructor(...target) {
    super(...target)
    watch(this)
  }
}

document.querySelector('#where').textContent = location.host
document.querySelector('#again').addEventListener('click', () => location.reload())
