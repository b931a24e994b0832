import { byId, element, hueOf, initials } from './element.ts'
import type { Model, Place } from './model.ts'
import { displayName, keyOf, placesOf } from './model.ts'

/** Draws rooms and people, keeping the keyboard focus where it was. */
export function drawSidebar(model: Model, go: (place: Place) => void): void {
  const focused = (document.activeElement as HTMLElement | null)?.dataset['key']
  const rows = placesOf(model).map(place => ({ place, row: entry(model, place, go) }))
  byId('rooms', HTMLUListElement).replaceChildren(
    ...rows.filter(({ place }) => place.kind === 'room').map(({ row }) => row),
  )
  byId('people', HTMLUListElement).replaceChildren(
    ...rows.filter(({ place }) => place.kind === 'person').map(({ row }) => row),
  )
  if (focused !== undefined) {
    document.querySelector<HTMLElement>(`#sidebar [data-key=${CSS.escape(focused)}]`)?.focus()
  }
  const unread = [...model.unread.values()].reduce((sum, count) => sum + count, 0)
  document.title = unread === 0 ? 'Gatehouse' : `(${unread}) Gatehouse`
}

function entry(model: Model, place: Place, go: (place: Place) => void): HTMLLIElement {
  const key = keyOf(place)
  const unread = model.unread.get(key) ?? 0
  const current = model.here !== null && keyOf(model.here) === key
  const button = element('button', {
    type: 'button',
    class: 'place',
    'data-key': key,
    ...(current ? { 'aria-current': 'page' } : {}),
  })
  if (place.kind === 'room') {
    button.append(
      element('span', { class: 'hash', 'aria-hidden': 'true' }, '#'),
      element('span', { class: 'label' }, place.name),
    )
  } else {
    const online = model.people.some(person => person.name === place.name && person.online)
    const avatar = element(
      'span',
      { class: 'avatar small', 'aria-hidden': 'true', 'data-hue': hueOf(place.name) },
      initials(displayName(model, place.name)),
    )
    avatar.append(element('span', { class: online ? 'dot on' : 'dot' }))
    button.append(
      avatar,
      element('span', { class: 'label' }, displayName(model, place.name)),
      element('span', { class: 'visually-hidden' }, online ? ', online' : ', offline'),
    )
  }
  if (unread > 0) {
    button.append(
      element('span', { class: 'badge', 'aria-hidden': 'true' }, unread > 99 ? '99+' : String(unread)),
      element('span', { class: 'visually-hidden' }, `, ${unread} unread`),
    )
  }
  button.addEventListener('click', () => go(place))
  return element('li', {}, button)
}
