/** A ticket each for the sessions `s0`, `s1`, …, from the server's own endpoint, 32 at a time. */
export async function fetchTickets(port: number, count: number, tls: boolean): Promise<string[]> {
  const scheme = tls ? 'https' : 'http'
  const one = async (index: number): Promise<string> => {
    const response = await fetch(`${scheme}://127.0.0.1:${port}/.sallyport/ticket?path=/`, {
      method: 'POST',
      headers: { Host: 'app.localhost', Origin: `${scheme}://app.localhost`, Cookie: `sid=s${index}` },
      // Bun's own option: the certificate is the benchmark's.
      ...({ tls: { rejectUnauthorized: false } } as object),
    })
    if (!response.ok) throw new Error(`the ticket endpoint answered ${response.status} ${await response.text()}`)
    return ((await response.json()) as { readonly ticket: string }).ticket
  }
  const issued: string[] = []
  while (issued.length < count) {
    const some = Math.min(32, count - issued.length)
    issued.push(...(await Promise.all(Array.from({ length: some }, (_, offset) => one(issued.length + offset)))))
  }
  return issued
}
