import type { HttpAnswer } from 'sallyport/embed'

/** An answer of the gateway itself: a code, and nothing of why. */
export function gatewayAnswer(status: number, code: string): HttpAnswer {
  const headers: Record<string, string> = {
    'Content-Type': 'application/json',
    'Cache-Control': 'no-store',
    Connection: 'close',
  }
  if (status === 503 || status === 429) headers['Retry-After'] = '1'
  return { status, headers, body: `{"code":"${code}"}` }
}
