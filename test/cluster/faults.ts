// `npm run faults`: breaks clusters of real processes in every way we know, and prints what became of the promises.
// `npm run faults -- SIGSTOP latency` runs what is named so.
import { tableOf, type FaultReport } from './fault.ts'
import type { Scale } from './scenario.ts'
import { SCENARIOS } from './scenarios.ts'

const FULL: Scale = { graceMs: 60_000, deadlineMs: 50, awayMs: 5000, handshakes: 10_000, honest: 3_000 }
const wanted = process.argv.slice(2)
const chosen = SCENARIOS.filter(({ name }) => wanted.length === 0 || wanted.some(part => name.includes(part)))
if (chosen.length === 0) {
  const names = SCENARIOS.map(({ name }) => `  ${name}`).join('\n')
  process.stderr.write(`no fault has ${wanted.join(' or ')} in its name; there are:\n${names}\n`)
  process.exit(2)
}
const reports: FaultReport[] = []
let failed = 0
for (const { name, run } of chosen) {
  process.stderr.write(`${name} …\n`)
  try {
    const report = await run(FULL)
    reports.push(report)
    if (report.ticketsTwice > 0 || report.mostOfUser > 10 || report.revokedAliveMs < 0 || report.normalMs < 0) failed++
  } catch (error) {
    failed++
    process.stderr.write(`FAILED ${name}: ${error instanceof Error ? error.message : String(error)}\n`)
  }
}
process.stdout.write(`${tableOf(reports)}\n`)
process.exit(failed === 0 ? 0 : 1)
