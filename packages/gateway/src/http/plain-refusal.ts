/**
 * Compiles what of plain HTTP no backend may get: `?name=value` or `?name` anywhere in the query, `/path`, or `/path/*`
 * with all below it. A backend may read a target otherwise than we do (escapes, letters, doubled slashes, `;`): what any of
 * them could read as refused is refused, and so is what any of them could read as a path that is not `below`. Where paths
 * are, or are not all below, so is every target with `..`: no two readers agree on where it leads, and browsers send none.
 *
 * @param below the path that goes to the backend with all below it; a target is one of these as it is written
 */
export function createPlainRefusal(patterns: readonly string[], below = '/'): (target: string) => boolean {
  const queries = patterns.filter(pattern => pattern.startsWith('?')).map(pattern => pattern.slice(1).toLowerCase())
  const names = new Set(queries.filter(query => !query.includes('=')))
  const pairs = new Set(queries.filter(query => query.includes('=')))
  const paths = patterns.filter(pattern => pattern.startsWith('/')).map(pattern => pattern.toLowerCase())
  const exact = new Set(paths.filter(path => !path.endsWith('/*')).map(plainPath))
  const stems = paths.filter(path => path.endsWith('/*')).map(path => plainPath(path.slice(0, -2)))
  const stays = [...new Set(spellingsOf(below.toLowerCase()).map(plainPath))].filter(stem => stem !== null)
  const isWhole = stays.includes('')
  if (patterns.length === 0 && isWhole) return () => false

  const refusesQuery = (target: string): boolean =>
    target
      .split(/[?&;#]/)
      .slice(1)
      .some(parameter => {
        if (parameter === '') return false
        const [name, value] = cut(parameter)
        return names.has(name) || pairs.has(`${name}=${value}`)
      })
  const refusesPath = (written: string): boolean => {
    const path = plainPath(written)
    if (path === null) return paths.length > 0 || !isWhole
    if (!isWhole && !stays.some(stem => path === stem || path.startsWith(`${stem}/`))) return true
    return exact.has(path) || stems.some(stem => path === stem || path.startsWith(`${stem}/`) || stem === '')
  }
  return target => {
    const lower = target.toLowerCase()
    const spellings = spellingsOf(lower)
    if (spellings.some(one => refusesQuery(one) || refusesPath(pathOf(one)))) return true
    // No request has a fragment: a server that knows none reads `#` as a part of the path.
    const paths = lower.includes('#') ? [pathOf(lower), lower.split('?', 1)[0]!] : [pathOf(lower)]
    // To who looks for the query before the escapes, an escaped `?` is part of the path.
    return (spellings.length > 1 || paths.length > 1) && paths.flatMap(spellingsOf).some(refusesPath)
  }
}

const pathOf = (target: string): string => target.split(/[?#]/, 1)[0]!

function spellingsOf(text: string): readonly string[] {
  const once = unescaped(text)
  return once === text ? [text] : [text, once, unescaped(once)]
}

/** Escapes of single bytes; what is refused is ASCII. */
function unescaped(text: string): string {
  return text.replaceAll(/%([\da-f]{2})/gi, (_, byte: string) =>
    String.fromCharCode(Number.parseInt(byte, 16)).toLowerCase(),
  )
}

/** Name and value of a parameter, as the most tolerant reader takes them: `transport[0] = polling`, `[transport]=polling`. */
function cut(parameter: string): readonly [name: string, value: string] {
  const at = parameter.indexOf('=')
  const name = at === -1 ? parameter : parameter.slice(0, at)
  const value = at === -1 ? '' : parameter.slice(at + 1)
  return [
    tidy(name)
      .replace(/^\[+/, '')
      .replace(/[[\]].*$/s, ''),
    tidy(value),
  ]
}

const tidy = (text: string): string => unescaped(unescaped(text)).replaceAll(/[\s+\0]/g, '')

/** A path without what servers overlook: doubled slashes, a dot, parameters of a segment, a slash at the end; null for `..`. */
function plainPath(path: string): string | null {
  const kept: string[] = []
  for (const part of path.replaceAll('\\', '/').split('/')) {
    const segment = part.replace(/;.*$/s, '').replaceAll('\0', '')
    if (segment === '..') return null
    if (segment !== '' && segment !== '.') kept.push(segment)
  }
  return kept.map(segment => `/${segment}`).join('')
}
