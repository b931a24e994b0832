import assert from 'node:assert/strict'
import { Decoder, type DecoderOptions, textOf, type WireLimits, type WireSink } from '../../src/wire/index.ts'

export const UNBOUNDED: WireLimits = {
  frameBytes: Number.MAX_SAFE_INTEGER,
  messageBytes: Number.MAX_SAFE_INTEGER,
  fragments: Number.MAX_SAFE_INTEGER,
}

/** Bytes from hex; blanks and bars separate what a reader wants apart. */
export const hex = (text: string): Buffer => Buffer.from(text.replaceAll(/[ |]/g, ''), 'hex')

/** Buffers forgive a range that is none; whoever gets it might not. */
function requireRange(bytes: Buffer, start: number, end: number): void {
  assert.ok(start >= 0 && start <= end && end <= bytes.length, `[${start}, ${end}) of ${bytes.length}`)
}

function payload(bytes: Buffer, start: number, end: number): string {
  requireRange(bytes, start, end)
  return bytes.toString('hex', start, end)
}

/** A sink that writes down what it is told, one line each. */
export function recorder(): WireSink & { readonly heard: string[] } {
  const heard: string[] = []
  return {
    heard,
    text: (bytes, start, end, ascii) => {
      requireRange(bytes, start, end)
      heard.push(`text ${textOf(bytes, start, end, ascii)}`)
    },
    binary: (bytes, start, end) => heard.push(`binary ${payload(bytes, start, end)}`),
    pinged: (bytes, start, end) => heard.push(`ping ${payload(bytes, start, end)}`),
    ponged: (bytes, start, end) => heard.push(`pong ${payload(bytes, start, end)}`),
    closing: (code, reason) => heard.push(`close ${code} ${reason}`),
    fault: fault => heard.push(`fault ${fault.closeCode} ${fault.code}`),
  }
}

/** What a decoder makes of bytes that come in the given chunks. */
export function decode(
  chunks: readonly Buffer[],
  options: Partial<Omit<DecoderOptions, 'limits'>> & { readonly limits?: Partial<WireLimits> } = {},
): string[] {
  const sink = recorder()
  const decoder = new Decoder({ peer: 'client', ...options, limits: { ...UNBOUNDED, ...options.limits } }, sink)
  for (const chunk of chunks) decoder.push(Buffer.from(chunk))
  return sink.heard
}

/** The same bytes one by one: no rule may depend on how they are cut. */
export const singly = (bytes: Buffer): Buffer[] => [...bytes].map(byte => Buffer.from([byte]))
