/** What is still wrong in the library: arrows that lead up, and circles. No line is added; the list ends empty. */
export const KNOWN: readonly string[] = [
  'circle of files: model/verdict.ts → model/denials.ts → model/verdict.ts',
  'event/catalogue.ts → policy/denials.ts',
]
