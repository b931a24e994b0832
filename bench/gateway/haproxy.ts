// HAProxy in http mode: Origin check, then a blind tunnel. One thread, no log.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BACKEND_PORT, freePort, listening, readyProxy } from './ready.ts'

const port = await freePort()
const folder = mkdtempSync(join(tmpdir(), 'bench-haproxy-'))
writeFileSync(
  join(folder, 'haproxy.cfg'),
  `global
  nbthread 1
  maxconn 9900
defaults
  mode http
  timeout connect 5s
  timeout client 1h
  timeout server 1h
  timeout tunnel 1h
frontend front
  bind 127.0.0.1:${port} backlog 4096
  http-request deny if !{ hdr(origin) -m str http://app.localhost }
  default_backend back
backend back
  server one 127.0.0.1:${BACKEND_PORT}
`,
)
const haproxy = spawn('haproxy', ['-db', '-q', '-f', join(folder, 'haproxy.cfg')], { stdio: 'inherit' })
process.on('exit', () => {
  haproxy.kill()
  rmSync(folder, { recursive: true, force: true })
})
haproxy.on('exit', () => process.exit(1))
await listening(port)
readyProxy(port, haproxy.pid)
