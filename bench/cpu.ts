import { readFileSync } from 'node:fs'

/** CPU time of a process so far, children that it waits for excluded, in seconds (proc(5): ticks of 10 ms). */
export function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) / 100
}
