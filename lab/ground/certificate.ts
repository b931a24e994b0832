import { generate } from 'selfsigned'
import { VICTIM_HOST } from './names.ts'

/** A key and its certificate, both in PEM. */
export interface Certificate {
  readonly key: string
  readonly cert: string
}

const DAY_MS = 24 * 60 * 60 * 1000
let made: Promise<Certificate> | undefined

/** One self-signed certificate a process, for loopback names; the lab's browsers are told to take any. */
export function certificate(): Promise<Certificate> {
  made ??= generate([{ name: 'commonName', value: 'Sallyport lab' }], {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    notBeforeDate: new Date(Date.now() - DAY_MS),
    notAfterDate: new Date(Date.now() + 30 * DAY_MS),
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: [
          ...['localhost', '*.localhost', '*.shop.localhost', `*.${VICTIM_HOST}`].map(value => ({
            type: 2 as const,
            value,
          })),
          { type: 7 as const, ip: '127.0.0.1' },
        ],
      },
    ],
  }).then(({ private: key, cert }) => ({ key, cert }))
  return made
}
