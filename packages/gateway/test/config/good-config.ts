/** A configuration that holds, as data: a test changes one thing of it. */
export function goodConfig(): any {
  return {
    name: 'app',
    listeners: { public: { address: '127.0.0.1:8443' } },
    upstreams: { app: { targets: ['ws://127.0.0.1:9000'] } },
    routes: {
      chat: {
        hosts: ['app.example.com'],
        path: '/ws',
        upstream: 'app',
        session: { forwardAuth: { url: 'http://127.0.0.1:9000/me', userHeader: 'X-User' } },
        handshake: { origin: { allow: ['https://app.example.com'] } },
        message: { schema: { chat: { type: 'object', required: ['type'], properties: { type: { const: 'chat' } } } } },
      },
    },
  }
}

/** A text that no placeholder list knows. */
export const SECRET = 'q8Zr4Tn1Vc8Mf5Jd3Hs6Lp0GyEb7Qw2X'
