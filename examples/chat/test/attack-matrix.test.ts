import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { SameSite } from '../src/session-store.ts'
import { type Chromium, startChromium } from '../../../test/browsers/chromium.ts'
import { closedContext } from '../../../test/browsers/patience.ts'
import { attack, openChat, say, shows, signInByForm, textOf } from './pages.ts'
import { startTestChat } from './running-chat.ts'
import type { TestChat } from './running-chat.ts'

let chromium: Chromium
before(async () => {
  chromium = await startChromium()
})
after(() => chromium.end())

/** What Chromium with upstream's cookie setting does to the unguarded server, by SameSite. */
const MATRIX: readonly { readonly sameSite: SameSite; readonly crossSite: 'hijacked' | 'refused' }[] = [
  { sameSite: 'none', crossSite: 'hijacked' },
  { sameSite: 'unset', crossSite: 'refused' },
  { sameSite: 'lax', crossSite: 'refused' },
  { sameSite: 'strict', crossSite: 'refused' },
]

const PRIVATE_WORDS = 'The safe in the archive'

/** The victim signs in and keeps the chat open while the attacker's page runs in another tab. */
async function underAttack(
  { chat }: TestChat,
  victim: string,
  attacker: string,
  visit: string,
): Promise<'hijacked' | 'refused'> {
  const context = await chromium.browser.createBrowserContext()
  try {
    const { page } = await openChat(context, chat)
    await signInByForm(page, victim)
    return await attack(context, attacker, visit)
  } finally {
    await closedContext(context)
  }
}

for (const { sameSite, crossSite } of MATRIX) {
  test(`unguarded, SameSite ${sameSite}: the sibling hijacks, another site is ${crossSite}`, async () => {
    const running = await startTestChat({ unguarded: true, sameSite })
    try {
      const { chat } = running
      const [sibling = '', other = ''] = chat.attackers

      assert.equal(await underAttack(running, 'bob', other, 'other'), crossSite)
      assert.equal(chat.store.userByName('bob') === undefined, crossSite === 'hijacked', 'account of bob')
      assert.equal(chat.attacker.loot.of('other').length > 0, crossSite === 'hijacked', 'loot of the other site')

      assert.equal(await underAttack(running, 'alice', sibling, 'sibling'), 'hijacked')
      assert.equal(chat.store.userByName('alice'), undefined)
      const loot = chat.attacker.loot.of('sibling').map(({ body }) => body)
      assert.ok(loot.some(body => JSON.parse(body).type === 'privateMessages'))
      assert.ok(loot.some(body => JSON.parse(body).type === 'accountDeleted'))
      assert.equal(
        loot.some(body => body.includes(PRIVATE_WORDS)),
        crossSite === 'refused',
        'bob took his with him',
      )
    } finally {
      await running.end()
    }
  })

  test(`guarded, SameSite ${sameSite}: both attackers are refused, the honest page works throughout`, async () => {
    const running = await startTestChat({ sameSite })
    const context = await chromium.browser.createBrowserContext()
    try {
      const { chat, events } = running
      const { page, problems } = await openChat(context, chat)
      await signInByForm(page, 'alice')
      for (const [index, attacker] of chat.attackers.entries()) {
        assert.equal(await attack(context, attacker, 'refused'), 'refused')
        const denied = events.filter(({ kind, origin }) => kind === 'denial' && origin === attacker)
        assert.deepEqual(
          denied.map(({ code, control, enforced }) => ({ code, control, enforced })),
          [{ code: 'SALLY_ORIGIN_NOT_ALLOWED', control: 'handshake/origin', enforced: true }],
        )
        const words = `still here after ${index + 1}`
        await page.bringToFront()
        await say(page, words)
        await shows(page, words)
      }
      assert.deepEqual(chat.attacker.loot.of(null), [])
      assert.notEqual(chat.store.userByName('alice'), undefined)
      assert.ok(
        chat.store.privateMessages(chat.store.userByName('alice')!).some(({ text }) => text.startsWith(PRIVATE_WORDS)),
      )
      assert.deepEqual(problems, [])
    } finally {
      await closedContext(context)
      await running.end()
    }
  })
}

test('guarded: a sibling page can neither fetch a ticket, nor sign the victim out, nor plant a session cookie', async () => {
  const running = await startTestChat({ sameSite: 'none' })
  const context = await chromium.browser.createBrowserContext()
  try {
    const { chat, events } = running
    const { page } = await openChat(context, chat)
    await signInByForm(page, 'alice')
    const evil = await context.newPage()
    await evil.goto(`${chat.attackers[0]}/loot`)
    const read = await evil.evaluate(async origin => {
      const post = (path: string, mode: RequestMode): Promise<string> =>
        fetch(origin + path, { method: 'POST', credentials: 'include', mode }).then(
          async response => `${response.type}:${await response.text()}`,
          () => 'unreadable',
        )
      // Cookies pay no heed to ports: this would reach the chat, had its cookie not the __Host- prefix.
      document.cookie = '__Host-chat=planted; Domain=app.localhost; Path=/; Secure'
      document.cookie = '__Host-chat=planted; Domain=app.localhost; Path=/ws; Secure'
      return [
        await post('/.sallyport/ticket', 'cors'),
        await post('/.sallyport/ticket', 'no-cors'),
        await post('/logout', 'no-cors'),
      ]
    }, chat.origin)
    assert.deepEqual(read, ['unreadable', 'opaque:', 'unreadable'])
    // The honest page's one ticket is all that was issued.
    assert.equal(events.filter(({ kind }) => kind === 'ticket').length, 1)
    assert.deepEqual(
      events
        .filter(({ kind }) => kind === 'denial')
        .map(({ code, origin, request_uri }) => ({ code, origin, request_uri })),
      Array.from({ length: 2 }, () => ({
        code: 'SALLY_FETCH_METADATA',
        origin: chat.attackers[0],
        request_uri: '/.sallyport/ticket',
      })),
    )
    await page.bringToFront()
    await page.reload()
    await page.waitForSelector('#status[data-state=open]', { timeout: 10_000 })
    assert.equal(await textOf(page, '#my-handle'), '@alice')
  } finally {
    await closedContext(context)
    await running.end()
  }
})
