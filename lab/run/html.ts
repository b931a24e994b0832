import type { Cell } from './cell.ts'
import type { LoadedFlaw } from './flaws.ts'

export interface PageParts {
  readonly cells: readonly Cell[]
  readonly versions: Readonly<Record<string, string>>
  readonly flaws: readonly LoadedFlaw[]
  readonly seconds: number
}

/** The result as one self-contained page. */
export function htmlPage({ cells, seconds }: PageParts): string {
  return `<!doctype html><pre>${cells.length} cells in ${seconds} s</pre>`
}
