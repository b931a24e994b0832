/**
 * What a denial tells, as values: numbers, and words of ours. Text of a peer stands here as an Origin, a Host, a path or
 * the name of a type alone, cut at 200 characters. `reason` chooses the sentence where a code has several.
 */
export type Facts = Readonly<Record<string, string | number>>

/** Names in the braces of a sentence: `timeoutMs` in `no pong within {timeoutMs} ms`. */
type NamesIn<S extends string> = S extends `${string}{${infer Name}}${infer Rest}` ? Name | NamesIn<Rest> : never

/** The facts of a sentence, or of one of several that `reason` chooses. */
export type FactsOf<Tells> = Tells extends string
  ? { readonly [name in NamesIn<Tells>]: string | number }
  : { [reason in keyof Tells]: { readonly reason: reason } & FactsOf<Tells[reason]> }[keyof Tells]

/** A sentence with the facts in the places of its braces. A fact that is missing shows as `?`. */
export function sentence(tells: string | { readonly [reason: string]: string }, facts: Facts): string {
  const text = typeof tells === 'string' ? tells : (tells[String(facts['reason'])] ?? String(facts['reason'] ?? ''))
  return text.replaceAll(/\{(\w+)\}/g, (_whole, name: string) => String(facts[name] ?? '?'))
}
