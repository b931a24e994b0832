// nginx with the 64 KiB buffers that its WebSocket recipes recommend, or, with `--own-buffers`, its defaults: Origin check,
// then a blind tunnel. One process, no log.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BACKEND_PORT, freePort, listening, readyProxy } from './ready.ts'

const buffers = process.argv.includes('--own-buffers')
  ? ''
  : 'proxy_buffer_size 64k; proxy_buffers 8 64k; proxy_busy_buffers_size 128k;'
// More than there are descriptors: nginx closes what it may reuse once a sixteenth is all that is free.
const CONNECTIONS = 30_000
const port = await freePort()
const folder = mkdtempSync(join(tmpdir(), 'bench-nginx-'))
writeFileSync(
  join(folder, 'nginx.conf'),
  `daemon off; master_process off; worker_processes 1; pid ${folder}/pid; error_log ${folder}/error crit; worker_rlimit_nofile 20000;
events { worker_connections ${CONNECTIONS}; }
http {
  access_log off; client_body_temp_path ${folder}; proxy_temp_path ${folder}; fastcgi_temp_path ${folder};
  uwsgi_temp_path ${folder}; scgi_temp_path ${folder};
  ${buffers} proxy_read_timeout 1h;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      if ($http_origin != "http://app.localhost") { return 403; }
      proxy_pass http://127.0.0.1:${BACKEND_PORT}; proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade"; proxy_set_header Host $host;
    }
  }
}
`,
)
const nginx = spawn('nginx', ['-c', join(folder, 'nginx.conf'), '-e', join(folder, 'error')], { stdio: 'inherit' })
process.on('exit', () => {
  nginx.kill()
  rmSync(folder, { recursive: true, force: true })
})
nginx.on('exit', () => process.exit(1))
await listening(port)
readyProxy(port, nginx.pid)
