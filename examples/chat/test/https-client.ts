import { request } from 'node:https'
import type { RunningChat } from '../src/chat.ts'
import { LOOPBACK } from '../src/port.ts'

export interface Answer {
  readonly status: number
  readonly headers: { readonly [name: string]: string | string[] | undefined }
  readonly body: string
}

/** One HTTPS request to a server on loopback, under the name that a browser would use. */
export function ask(
  origin: string,
  path: string,
  {
    method = 'GET',
    headers = {},
    body = '',
  }: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<Answer> {
  const { hostname, port, host } = new URL(origin)
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        host: LOOPBACK,
        port,
        servername: hostname,
        path,
        method,
        headers: { host, ...headers },
        agent: false,
        rejectUnauthorized: false,
      },
      response => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('end', () => {
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks).toString(),
          })
        })
        response.on('error', reject)
      },
    )
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

/** Signs in over HTTP as the page does. Answers the cookie, or null where the sign-in was refused. */
export async function signIn(chat: RunningChat, name: string, password: string, cookie = ''): Promise<string | null> {
  const { status, headers } = await ask(chat.origin, '/login', {
    method: 'POST',
    headers: { origin: chat.origin, 'content-type': 'application/json', ...(cookie === '' ? {} : { cookie }) },
    body: JSON.stringify({ name, password }),
  })
  const [line = ''] = headers['set-cookie'] ?? []
  return status === 200 ? (line.split(';')[0] ?? '') : null
}
