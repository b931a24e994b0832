/** An idiom that a reader whose English is a second language stumbles over, and what to write instead. */
export interface Idiom {
  /** Matched in one line of text: line breaks and comment marks are spaces. */
  readonly pattern: RegExp
  readonly instead: string
}

/** The worst idioms. Add one where a reader had to read a sentence twice. */
export const IDIOMS: readonly Idiom[] = [
  // One at the start of a sentence makes a riddle of it; a question may begin with one.
  {
    pattern:
      /(?:^|[.!;:] )(?:Whom|Whose|Who (?:does|has|holds|is|was|comes|asks|sends|wants|waits|forked)) (?![^.]{0,120}\?)/g,
    instead: 'begin with the subject: "A client that …", "The user whose …"',
  },
  { pattern: /\bwhom\b/gi, instead: 'make the person the subject: "the user who …"' },
  { pattern: /\b(?:so that|than|as does|of|for|by) who\b/g, instead: 'name the person: "so that a user who …"' },
  { pattern: /\bthat (?:is|are) none\b/g, instead: '"that is not a …", "invalid"' },
  { pattern: /\b(?:told|tells?|heard|hears?) of\b/g, instead: '"is notified of", "gets", "reports", "describes"' },
  { pattern: /\bas (?:it comes|they come|it stands|they stand)\b/g, instead: '"unchanged", "in the order of arrival"' },
  { pattern: /\bin the place of\b/g, instead: '"instead of", "replaces"' },
  { pattern: /\bin (?:its|their|his) stead\b/g, instead: '"instead"' },
  { pattern: /\binto being\b/g, instead: '"create"' },
  { pattern: /\bat the (?:least|most)\b(?! \w+s\b)/g, instead: '"at least", "at most"' },
  { pattern: /\bthat which\b/g, instead: '"the one that", or the noun again' },
  { pattern: /\bfor want of\b/g, instead: '"because … is missing", "without"' },
  { pattern: /\bis (?:nobody|somebody)(?:'|’)s\b/g, instead: '"belongs to no user", "has no owner"' },
  { pattern: /\b(?:find|finds|found) out\b/g, instead: '"detect", "notice", "ask"' },
  { pattern: /\bwhat (?:is|was) not said\b/g, instead: '"what is left out", "the default"' },
  { pattern: /\bcomes? to (?:be|pass|know|rest)\b/g, instead: '"becomes", "is", "stops"' },
  { pattern: /\bwhat (?:that|it|this) comes to\b/gi, instead: '"the result", "the sum"' },
  { pattern: /\bbears?\b/g, instead: '"has", "carries"' },
  { pattern: /\banew\b/g, instead: '"again", "from the start"' },
  { pattern: /\bbut for\b/g, instead: '"except"' },
  { pattern: /\bfor good\b/g, instead: '"permanently"' },
  { pattern: /\bto the tick\b/g, instead: '"at the moment of"' },
  { pattern: /\bof another make\b/g, instead: '"of another vendor"' },
  { pattern: /\bit must be said\b/g, instead: '"… is missing", "… is required"' },
  { pattern: /\b[Aa] no\b(?=[,.;:]| (?:is|closes|ends|that))/g, instead: '"a refusal"' },
  { pattern: /\b[Aa] yes\b/g, instead: '"a successful check", "an acceptance"' },
  {
    pattern: /\b(?:whilst|albeit|hitherto|therein|thereof|whereby|henceforth|lest|upon|shall|ought)\b/g,
    instead:
      'the plain word: "while", "although", "so far", "in it", "by which", "so that … not", "on", "will", "must"',
  },
]
