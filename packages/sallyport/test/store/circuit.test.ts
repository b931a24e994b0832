import assert from 'node:assert/strict'
import { describe, it, mock } from 'node:test'
import { type Circuit, createCircuit } from '../../src/store/circuit.ts'
import type { StoreError } from '../../src/model/store-error.ts'
import { systemRuntime } from '../../src/model/system-runtime.ts'

const never = (): Promise<never> => new Promise(() => undefined)
const immediates = async (): Promise<void> => {
  for (let nth = 0; nth < 4; nth++) await new Promise(resolve => setImmediate(resolve))
}

const setUp = (probe: () => Promise<void> = async () => undefined, maxPending = 10) => {
  const states: string[] = []
  const circuit = createCircuit({
    name: 'Redis',
    deadlineMs: 50,
    failures: 3,
    maxPending,
    probeMs: 250,
    probeMostMs: 1000,
    probe,
    onState: ({ state }) => states.push(state),
    timers: systemRuntime,
  })
  return { circuit, states }
}

const faked = (work: () => Promise<void>) => async (): Promise<void> => {
  mock.timers.enable({ apis: ['setTimeout'] })
  try {
    await work()
  } finally {
    mock.timers.reset()
  }
}
/** Lets `ms` pass, with the turns of the loop around it. */
const pass = async (ms: number): Promise<void> => {
  await immediates()
  mock.timers.tick(ms)
  await immediates()
}

describe('the circuit', () => {
  it(
    'a call that never answers ends at four fifths of the deadline, not before: whoever asked is answered within it',
    faked(async () => {
      const { circuit } = setUp()
      let ended = ''
      circuit.call(never).catch((error: StoreError) => (ended = error.message))
      await pass(39)
      assert.equal(ended, '')
      await pass(1)
      assert.equal(ended, 'Redis did not answer within 40 ms')
      circuit.close()
    }),
  )

  for (const { size, ms } of [
    { size: 49, ms: 39 },
    { size: 1000, ms: 29 },
  ]) {
    it(
      `${size} calls, answered after ${ms} ms, just before they are given up: in time, and it opens nothing`,
      faked(async () => {
        const { circuit, states } = setUp(undefined, 1000)
        const answers: (() => void)[] = []
        const calls = Array.from({ length: size }, () => circuit.call(() => new Promise<void>(go => answers.push(go))))
        await pass(ms)
        for (const answer of answers) answer()
        await Promise.all(calls)
        await pass(1000)
        assert.deepEqual(states, [])
        assert.equal(circuit.closed, true)
        circuit.close()
      }),
    )
  }

  for (const { row, first, opens } of [
    { row: 'one, as many as open it with those who came later', first: 1, opens: true },
    { row: 'a crowd', first: 8, opens: true },
    { row: 'one, and too few came later to open it', first: 1, opens: false },
  ]) {
    it(
      `a server that stops, ${row}: once the first call is late everybody who waits is denied in that turn, the oldest first`,
      faked(async () => {
        const { circuit, states } = setUp(never, 1000)
        const denied: number[] = []
        let nth = 0
        const ask = (): void => {
          const mine = nth++
          circuit.call(never).catch(() => denied.push(mine))
        }
        for (let of = 0; of < first; of++) ask()
        for (const wait of [10, 25]) {
          await pass(wait)
          if (opens || wait === 10) ask()
        }
        await pass(4)
        assert.deepEqual(denied, [])
        await pass(1)
        assert.deepEqual(
          denied,
          Array.from({ length: nth }, (_, index) => index),
        )
        assert.deepEqual(states, opens ? ['unavailable', 'probing'] : [])
        circuit.close()
      }),
    )
  }

  for (const { row, size, answers, endsAt } of [
    {
      row: 'a crowd that nobody answers is given up earlier, so that its answers are in time',
      size: 50,
      answers: 0,
      endsAt: 30,
    },
    { row: 'fewer than a crowd have the whole time', size: 49, answers: 0, endsAt: 40 },
    { row: 'a crowd of which one was answered has the whole time', size: 51, answers: 1, endsAt: 40 },
  ]) {
    it(
      row,
      faked(async () => {
        const { circuit } = setUp(undefined, 1000)
        let denied = 0
        const given: (() => void)[] = []
        for (let nth = 0; nth < size; nth++) {
          circuit.call(() => new Promise<void>(go => given.push(go))).catch(() => denied++)
        }
        await pass(10)
        for (const answer of given.slice(0, answers)) answer()
        await pass(endsAt - 11)
        assert.equal(denied, 0)
        await pass(1)
        assert.equal(denied, size - answers)
        circuit.close()
      }),
    )
  }

  it(
    'a late call while others are answered, as where one server of several stopped, denies nobody else',
    faked(async () => {
      const { circuit, states } = setUp()
      let ended = ''
      circuit.call(never).catch((error: StoreError) => (ended = error.message))
      await pass(10)
      let answer: (value: string) => void = () => undefined
      const slow = circuit.call(() => new Promise<string>(resolve => (answer = resolve)))
      await circuit.call(async () => 'the server beside it')
      await pass(30)
      assert.equal(ended, 'Redis did not answer within 40 ms')
      answer('in time')
      assert.equal(await slow, 'in time')
      assert.deepEqual(states, [])
      circuit.close()
    }),
  )

  it(
    'many that are late at once while others are answered, as in a flood of which a part is in time, deny nobody else',
    faked(async () => {
      const { circuit, states } = setUp(undefined, 1000)
      let denied = 0
      const given: (() => void)[] = []
      for (let nth = 0; nth < 40; nth++) {
        circuit.call(() => new Promise<void>(go => given.push(go))).catch(() => denied++)
      }
      await pass(20)
      for (const answer of given.slice(0, 10)) answer()
      await pass(20)
      assert.equal(denied, 30)
      assert.deepEqual(states, [])
      assert.equal(await circuit.call(async () => 'served'), 'served')
      circuit.close()
    }),
  )

  it(
    'as many in a row open it though others were answered before they asked',
    faked(async () => {
      const { circuit, states } = setUp(never)
      await circuit.call(async () => 'the last answer')
      for (let nth = 0; nth < 3; nth++) circuit.call(never).catch(() => undefined)
      await pass(40)
      assert.deepEqual(states, ['unavailable', 'probing'])
      circuit.close()
    }),
  )

  for (const { row, told, opens } of [
    {
      row: 'known to be away by a heartbeat',
      told: ['unavailable'],
      opens: async (circuit: Circuit) => circuit.trip('two heartbeats failed'),
    },
    {
      row: 'failing so many times in a row',
      told: ['unavailable', 'probing'],
      async opens(circuit: Circuit) {
        const failures = [1, 2, 3].map(() => circuit.call(() => Promise.reject(new Error('down'))))
        await Promise.allSettled(failures)
      },
    },
  ]) {
    it(
      `${row}: whoever waits is denied at once, and a late answer changes nothing`,
      faked(async () => {
        const { circuit, states } = setUp(never)
        let answer: (value: string) => void = () => undefined
        const waiting = circuit.call(() => new Promise<string>(resolve => (answer = resolve)))
        const denied = assert.rejects(waiting, { code: 'SALLY_STORE_UNAVAILABLE' })
        await opens(circuit)
        await denied
        answer('late')
        await pass(100)
        assert.deepEqual(states, told)
        circuit.close()
      }),
    )
  }

  it(
    'opening denies those who wait, not the probe: it has its own time',
    faked(async () => {
      const { circuit } = setUp()
      let ended = ''
      circuit.attempt(never).catch((error: StoreError) => (ended = error.message))
      circuit.trip('down')
      await pass(39)
      assert.equal(ended, '')
      await pass(1)
      assert.equal(ended, 'Redis did not answer within 40 ms')
      circuit.close()
    }),
  )

  it(
    'who was denied leaves room for others',
    faked(async () => {
      const { circuit } = setUp(undefined, 2)
      for (let round = 0; round < 2; round++) {
        const calls = [circuit.call(never), circuit.call(() => Promise.resolve('kept'))]
        assert.equal(await calls[1], 'kept')
        const denied = assert.rejects(calls[0]!, { message: 'Redis did not answer within 40 ms' })
        await pass(40)
        await denied
      }
      circuit.close()
    }),
  )

  it(
    'an answer that came while our own loop was busy is not late',
    faked(async () => {
      const { circuit } = setUp()
      let answer: (value: string) => void = () => undefined
      const call = circuit.call(() => new Promise<string>(resolve => (answer = resolve)))
      await immediates()
      mock.timers.tick(500)
      // The timer ran first; the socket is read in the same turn.
      answer('in time')
      assert.equal(await call, 'in time')
      circuit.close()
    }),
  )

  for (const { row, failures, open } of [
    { row: 'one below the bound', failures: 2, open: false },
    { row: 'at the bound', failures: 3, open: true },
    { row: 'one above the bound', failures: 4, open: true },
  ]) {
    it(
      `failures in a row, ${row}: ${open ? 'open' : 'closed'}`,
      faked(async () => {
        const { circuit, states } = setUp(never)
        for (let nth = 0; nth < failures; nth++) {
          await assert.rejects(circuit.call(() => Promise.reject(new Error('down'))))
        }
        assert.equal(circuit.closed, !open)
        assert.deepEqual(states, open ? ['unavailable', 'probing'] : [])
        circuit.close()
      }),
    )
  }

  it(
    'an answer between failures starts the count again',
    faked(async () => {
      const { circuit } = setUp()
      for (let nth = 0; nth < 5; nth++) {
        await assert.rejects(circuit.call(() => Promise.reject(new Error('down'))))
        await circuit.call(async () => 'up')
      }
      assert.equal(circuit.closed, true)
      circuit.close()
    }),
  )

  it(
    'open: nothing is asked, calls are denied at once, and one probe at a time is sent',
    faked(async () => {
      let probes = 0
      let up = false
      const { circuit, states } = setUp(async () => {
        probes++
        if (!up) throw new Error('still down')
      })
      circuit.trip('it is down')
      let asked = 0
      await assert.rejects(
        circuit.call(async () => asked++),
        { code: 'SALLY_STORE_UNAVAILABLE' },
      )
      assert.equal(asked, 0)
      await pass(249)
      assert.equal(probes, 0)
      await pass(1)
      assert.equal(probes, 1)
      // The next one comes later than the first did.
      await pass(250)
      assert.equal(probes, 1)
      up = true
      await pass(125)
      assert.equal(probes, 2)
      assert.equal(circuit.closed, true)
      assert.deepEqual(states, ['unavailable', 'probing', 'unavailable', 'probing', 'available'])
      assert.equal(await circuit.call(async () => 'up'), 'up')
      circuit.close()
    }),
  )

  it(
    'attack: a crowd makes of a pause no end: who comes after it is served, not denied until a probe is due',
    faked(async () => {
      const { circuit, states } = setUp(undefined, 1000)
      for (let nth = 0; nth < 50; nth++) circuit.call(never).catch(() => undefined)
      await pass(30)
      assert.equal(await circuit.call(async () => 'served'), 'served')
      assert.deepEqual(states, ['unavailable', 'probing', 'available'])
      circuit.close()
    }),
  )

  for (const { row, ms, served } of [
    {
      row: 'soon after another is probed when a probe is due, or each would tell three events',
      ms: 999,
      served: false,
    },
    { row: 'long after another is probed at once', ms: 1000, served: true },
  ]) {
    it(
      `attack: a pause ${row}`,
      faked(async () => {
        const { circuit } = setUp(undefined, 1000)
        const pause = async (): Promise<void> => {
          for (let nth = 0; nth < 50; nth++) circuit.call(never).catch(() => undefined)
          await pass(30)
        }
        await pause()
        await pass(ms - 30)
        await pause()
        assert.equal(circuit.closed, served)
        await pass(250)
        assert.equal(circuit.closed, true)
        circuit.close()
      }),
    )
  }

  it(
    'a probe that is under way is not joined by another',
    faked(async () => {
      let probes = 0
      const { circuit } = setUp(() => (probes++, never()))
      circuit.trip('down')
      circuit.retry()
      circuit.retry()
      await pass(5000)
      assert.equal(probes, 1)
      circuit.close()
    }),
  )

  for (const { row, pending, denied } of [
    { row: 'at the bound', pending: 9, denied: false },
    { row: 'one above', pending: 10, denied: true },
  ]) {
    it(
      `calls under way, ${row}: ${denied ? 'denied at once' : 'asked'}`,
      faked(async () => {
        const { circuit } = setUp()
        for (let nth = 0; nth < pending; nth++) circuit.call(never).catch(() => undefined)
        const one = circuit.call(async () => 'asked')
        if (denied) await assert.rejects(one, { code: 'SALLY_STORE_UNAVAILABLE' })
        else assert.equal(await one, 'asked')
        circuit.close()
      }),
    )
  }

  for (const { row, error, tells } of [
    {
      row: "Redis's own word",
      error: new Error('LOADING Redis is loading redis://user:secret@host'),
      tells: 'LOADING',
    },
    {
      row: 'a code of Node',
      error: Object.assign(new Error('10.0.0.7:6379'), { code: 'ECONNREFUSED' }),
      tells: 'ECONNREFUSED',
    },
    { row: 'anything else by its class', error: new RangeError('sid=secret'), tells: 'RangeError' },
    { row: 'no error at all', error: 'secret', tells: 'string' },
  ]) {
    it(`an error is told as ${row}, never by its message`, async () => {
      const { circuit } = setUp()
      await assert.rejects(
        circuit.call(() => Promise.reject(error as Error)),
        (thrown: StoreError) => {
          assert.equal(thrown.message, `Redis failed: ${tells}`)
          return true
        },
      )
      circuit.close()
    })
  }

  it('closed permanently: every call is denied, and no timer is left', async () => {
    const { circuit } = setUp()
    circuit.trip('down')
    circuit.close()
    circuit.retry()
    await assert.rejects(
      circuit.call(async () => 1),
      { code: 'SALLY_STORE_CLOSED' },
    )
  })
})
