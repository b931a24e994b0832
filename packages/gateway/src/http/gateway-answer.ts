import type { HttpAnswer } from 'sallyport/embed'

/** An answer of the gateway itself: a code, and nothing of why. */
export function gatewayAnswer(
  status: number,
  code: string,
  further: { readonly [name: string]: string } = {},
): HttpAnswer {
  const headers: Record<string, string> = {
    'Content-Type': 'application/json',
    'Cache-Control': 'no-store',
    Connection: 'close',
  }
  if (status === 503 || status === 429) headers['Retry-After'] = '1'
  // These have no body (RFC 9110 §15.3.5, §15.3.6, §15.4.5).
  const isBare = status === 204 || status === 205 || status === 304
  return { status, headers: { ...headers, ...further }, body: isBare ? '' : `{"code":"${code}"}` }
}
