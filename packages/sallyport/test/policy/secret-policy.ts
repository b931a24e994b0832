/** An honest policy with sections laid over it, one by one. */
export function honestPolicy(over: { readonly [section: string]: unknown }): object {
  const { handshake, message, ...rest } = over
  return {
    handshake: { origin: { allow: ['https://app.company.com'] }, session: () => null, ...(handshake as object) },
    message: { schema: { chat: { type: 'object' } }, ...(message as object) },
    ...rest,
  }
}
