import type { Flaw } from '../ground/description.ts'
import { exhibited } from '../ground/exhibit.ts'

export const flaw: Flaw = {
  title: 'Message replay: a recorded payment is sent again, and paid again',
  kind: 'browser',
  control: 'message/replay',
  sameSite: 'lax',
  attackers: [{ origin: 'https://evil.app.shop.localhost' }],
  harmed: ({ ground }) => {
    const paid = exhibited<readonly string[]>(ground)
    return new Set(paid).size < paid.length
  },
  honest: {
    // Read for each page: an order is made when it is sent.
    send: {
      type: 'pay',
      to: 'mallory',
      amount: 10,
      get order() {
        return crypto.randomUUID()
      },
      get sentAt() {
        return Date.now()
      },
    },
    reply: 'paid',
  },
}
