import type { Cell, Plan } from './cell.ts'
import type { Progress } from './run.ts'
import { asExpected } from './table.ts'

/** One line that is written over; nothing where nobody watches. */
export function progressLine(stream: NodeJS.WriteStream, total: number): Progress & { end(): void } {
  let done = 0
  let wrong = 0
  const running = new Map<string, string>()
  const show = (): void => {
    if (!stream.isTTY) return
    const now = [...running].map(([browser, flaw]) => `${browser}: ${flaw}`).join(' · ')
    const line = `${done}/${total}${wrong > 0 ? ` (${wrong} not as described)` : ''}  ${now}`
    stream.write(`\r\u001B[2K${line.slice(0, (stream.columns || 80) - 1)}`)
  }
  return {
    started({ browser, loaded }: Plan) {
      running.set(browser ?? 'client', loaded.name)
      show()
    },
    done(cell: Cell) {
      done++
      if (!asExpected(cell)) wrong++
      running.delete(cell.browser)
      show()
    },
    end() {
      if (stream.isTTY) stream.write('\r\u001B[2K')
    },
  }
}
