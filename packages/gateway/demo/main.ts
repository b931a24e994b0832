// `npm run demo:gateway`: a Python backend is hijacked in real Chromium; behind the gateway it is not.
import { play } from './story.ts'

process.stdout.write(
  'A Python backend (python3-websockets, a cookie, no check of any kind), first alone, then behind the gateway.\n\n',
)
const scenes = await play(({ title, seen, asClaimed }) => {
  process.stdout.write(`${asClaimed ? 'as claimed' : 'NOT AS CLAIMED'}  ${title}\n            ${seen.slice(0, 300)}\n`)
})
const failed = scenes.filter(({ asClaimed }) => !asClaimed).length
process.stdout.write(
  failed === 0
    ? `\n${scenes.length} scenes, all as claimed. What protects it is demo/gateway.yaml; no line of demo/backend.py changed.\n`
    : `\n${failed} of ${scenes.length} scenes were not as claimed.\n`,
)
process.exit(failed === 0 ? 0 : 1)
