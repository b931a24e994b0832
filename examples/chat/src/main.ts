import { announcement } from './announcement.ts'
import { startChat } from './chat.ts'
import { eventLine, noticeLine } from './event-line.ts'
import { HELP, parseOptions } from './options.ts'
import { paintFor } from './terminal-text.ts'

/** Exit codes: 0 ended as asked, 1 could not start, 2 the command line is wrong. */
const CANNOT_START = 1
const MISTAKEN = 2

function line(text: string): void {
  process.stdout.write(`${text}\n`)
}

async function main(args: readonly string[]): Promise<void> {
  const parsed = parseOptions(args)
  if (parsed.kind === 'help') {
    process.stdout.write(HELP)
    return
  }
  if (parsed.kind === 'mistake') {
    process.stderr.write(`${parsed.problem}\nAll options: npm start -- --help\n`)
    process.exitCode = MISTAKEN
    return
  }
  const { options } = parsed
  const paint = paintFor(process.stdout)
  const chat = await startChat(options, {
    event: event => line(options.json ? JSON.stringify(event) : eventLine(event, paint)),
    notice: notice =>
      line(options.json ? JSON.stringify({ kind: 'notice', ...notice }) : noticeLine(notice, paint, new Date())),
  })
  // With --json standard output holds JSON lines alone.
  const person = options.json ? process.stderr : process.stdout

  let ending = false
  const end = (): void => {
    if (ending) process.exit(CANNOT_START)
    ending = true
    person.write('\nDraining the connections; once more ends at once.\n')
    chat.close().then(
      () => process.exit(0),
      (error: unknown) => fail(error),
    )
  }
  process.on('SIGINT', end)
  process.on('SIGTERM', end)
  // Last: whoever reads that it can be ended may end it.
  person.write(announcement(chat, options, paintFor(person)))
}

function fail(error: unknown): void {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(CANNOT_START)
}

main(process.argv.slice(2)).catch(fail)
