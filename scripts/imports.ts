// Which file imports which: type imports and dynamic ones count.
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'

/** Files of a folder, and what each imports by a relative path. Paths are relative to the folder: `../` leads out of it. */
export type ImportGraph = ReadonlyMap<string, ReadonlySet<string>>

const IMPORT = /\b(?:from|import|new URL)\s*\(?\s*(['"])(\.{1,2}\/[^'"\n]+\.m?[jt]s)\1/g

/** Reads all TypeScript files below a folder, without those of installed packages. */
export function readImports(folder: string): ImportGraph {
  const files = globSync('**/*.ts', { cwd: folder, exclude: path => path.includes('node_modules') })
  return new Map(files.toSorted().map(file => [file, importsOf(file, readFileSync(join(folder, file), 'utf8'))]))
}

/** What the text of a file imports. */
export function importsOf(file: string, text: string): ReadonlySet<string> {
  return new Set(Array.from(text.matchAll(IMPORT), ([, , path]) => normalize(join(dirname(file), path!))))
}

/** The same graph between folders; a file outside any folder stands for itself. */
export function foldersOf(graph: ImportGraph): ImportGraph {
  const folderOf = (path: string): string => (path.includes('/') ? dirname(path) : path)
  const folders = new Map<string, Set<string>>()
  for (const [file, imported] of graph) {
    const own = folderOf(file)
    const known = folders.get(own) ?? new Set()
    for (const path of imported) if (folderOf(path) !== own) known.add(folderOf(path))
    folders.set(own, known)
  }
  return folders
}

/** Circles: of each group of nodes that all reach each other the shortest one. */
export function circlesOf(graph: ImportGraph): readonly (readonly string[])[] {
  const seen = new Set<string>()
  return [...graph.keys()].flatMap(start => {
    if (seen.has(start)) return []
    const group = [...reached(graph, start).keys()].filter(node => reached(graph, node).has(start))
    for (const node of group) seen.add(node)
    const circles = group.map(node => wayBack(reached(graph, node), node))
    return circles.toSorted((a, b) => a.length - b.length).slice(0, 1)
  })
}

/** Each node that is reached from a node, with the one before it on the shortest way. */
function reached(graph: ImportGraph, start: string): ReadonlyMap<string, string> {
  const before = new Map<string, string>()
  for (const queue = [start]; queue.length > 0; ) {
    const node = queue.shift()!
    for (const next of graph.get(node) ?? []) {
      if (before.has(next)) continue
      before.set(next, node)
      queue.push(next)
    }
  }
  return before
}

function wayBack(before: ReadonlyMap<string, string>, start: string): readonly string[] {
  const way = [start]
  do way.unshift(before.get(way[0]!)!)
  while (way[0] !== start)
  return way
}
