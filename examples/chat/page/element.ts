/** The element of `index.html` with this id, known to be of this class. */
export function byId<T extends Element>(id: string, kind: new () => T): T {
  const found = document.querySelector(`#${id}`)
  if (!(found instanceof kind)) throw new TypeError(`index.html has no ${kind.name} with id ${id}`)
  return found
}

/** Builds an element. Text only ever becomes a text node: nothing a peer wrote is read as markup. */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: { readonly [name: string]: string },
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value)
  made.append(...children)
  return made
}

/** One of eight colours, the same for a name every time. */
export function hueOf(name: string): string {
  let hash = 0
  for (const character of name) hash = (hash * 31 + character.codePointAt(0)!) % 9973
  return String(hash % 8)
}

/** `Alice Ferrari` → `AF`. */
export function initials(displayName: string): string {
  const words = displayName.split(/\s+/).filter(word => word !== '')
  return [words.at(0), words.length > 1 ? words.at(-1) : undefined]
    .map(word => word?.at(0)?.toUpperCase() ?? '')
    .join('')
}
