/**
 * What a denial reports, as values: numbers, and words of this library. Text of a peer appears only as an Origin, a
 * Host, a path or the name of a type, cut at 200 characters. `reason` chooses the sentence if a code has several.
 */
export type Facts = Readonly<Record<string, string | number>>

/** The names in the braces of a sentence: `timeoutMs` in `no pong within {timeoutMs} ms`. */
type NamesIn<S extends string> = S extends `${string}{${infer Name}}${infer Rest}` ? Name | NamesIn<Rest> : never

/** The facts of a sentence, or of several sentences that `reason` chooses from. */
export type FactsOf<Tells> = Tells extends string
  ? { readonly [name in NamesIn<Tells>]: string | number }
  : { [reason in keyof Tells]: { readonly reason: reason } & FactsOf<Tells[reason]> }[keyof Tells]

/** Builds a sentence from the facts. Each fact replaces its braces. A missing fact shows as `?`. */
export function sentence(tells: string | { readonly [reason: string]: string }, facts: Facts): string {
  const text = typeof tells === 'string' ? tells : (tells[String(facts['reason'])] ?? String(facts['reason'] ?? ''))
  return text.replaceAll(/\{(\w+)\}/g, (_whole, name: string) => String(facts[name] ?? '?'))
}
