// nginx as the guard before a bare `ws`: it refuses other origins and tunnels what is left. One process, no log.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { WebSocketServer } from 'ws'
import { ORIGIN, ready } from './chat.ts'

const backend = createServer()
const sockets = new WebSocketServer({ server: backend, perMessageDeflate: false })
sockets.on('connection', socket => {
  socket.on('error', () => socket.terminate())
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }))
})

backend.listen(0, '127.0.0.1', () => {
  // A port that was free a moment ago: nginx cannot pick one.
  const probe = createServer().listen(0, '127.0.0.1', () => {
    const { port } = probe.address() as AddressInfo
    probe.close(() => start(port, (backend.address() as AddressInfo).port))
  })
})

function start(port: number, behind: number): void {
  const folder = mkdtempSync(join(tmpdir(), 'bench-nginx-'))
  writeFileSync(
    join(folder, 'nginx.conf'),
    `daemon off; master_process off; worker_processes 1; pid ${folder}/pid; error_log ${folder}/error crit;
events { worker_connections 20000; }
http {
  access_log off; client_body_temp_path ${folder}; proxy_temp_path ${folder}; fastcgi_temp_path ${folder};
  uwsgi_temp_path ${folder}; scgi_temp_path ${folder};
  server {
    listen 127.0.0.1:${port};
    location / {
      if ($http_origin != "${ORIGIN}") { return 403; }
      proxy_pass http://127.0.0.1:${behind}; proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade"; proxy_set_header Host $host;
    }
  }
}
`,
  )
  const nginx = spawn('nginx', ['-c', join(folder, 'nginx.conf'), '-e', join(folder, 'error')], { stdio: 'inherit' })
  const stop = (): void => {
    nginx.kill()
    rmSync(folder, { recursive: true, force: true })
  }
  process.on('exit', stop)
  nginx.on('exit', () => process.exit(1))
  const attempt = (): void => {
    const socket = connect(port, '127.0.0.1')
    socket.on('connect', () => {
      socket.destroy()
      ready(port, nginx.pid)
    })
    socket.on('error', () => setTimeout(attempt, 20))
  }
  attempt()
}
