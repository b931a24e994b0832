import { byId, element, hueOf, initials } from './element.ts'
import type { Model, Said } from './model.ts'
import { displayName, keyOf } from './model.ts'

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' })
const day = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' })
/** Words of one author within this time stand under one name, in ms. */
const TOGETHER_MS = 5 * 60_000
/** How near the end, in px, still counts as reading the newest. */
const NEAR_END = 80

/** Draws a whole conversation, silently for screen readers, from its end. */
export function drawConversation(model: Model): void {
  const log = byId('log', HTMLElement)
  const list = byId('messages', HTMLOListElement)
  const said = model.here === null ? [] : (model.said.get(keyOf(model.here)) ?? [])
  log.ariaLive = 'off'
  list.replaceChildren()
  said.forEach((item, index) => list.append(...rows(model, item, said[index - 1])))
  if (said.length === 0) list.append(element('li', { class: 'empty' }, emptyText(model)))
  log.scrollTop = log.scrollHeight
  requestAnimationFrame(() => {
    log.ariaLive = 'polite'
  })
}

/** Adds the newest message to the end, and follows it if the person was reading the end. */
export function drawNewest(model: Model): void {
  const log = byId('log', HTMLElement)
  const list = byId('messages', HTMLOListElement)
  const said = model.here === null ? [] : (model.said.get(keyOf(model.here)) ?? [])
  const newest = said.at(-1)
  if (newest === undefined) return
  const follow = newest.from === model.you || log.scrollHeight - log.scrollTop - log.clientHeight < NEAR_END
  list.querySelector('.empty')?.remove()
  list.append(...rows(model, newest, said.at(-2)))
  if (follow) log.scrollTop = log.scrollHeight
}

function rows(model: Model, said: Said, before: Said | undefined): readonly HTMLElement[] {
  const at = new Date(said.at)
  const newDay = before === undefined || new Date(before.at).toDateString() !== at.toDateString()
  const together = !newDay && before.from === said.from && said.at - before.at < TOGETHER_MS
  const time = element('time', { datetime: at.toISOString() }, clock.format(at))
  const text = element('p', { class: 'text', dir: 'auto' }, said.text)
  const mine = said.from === model.you ? ' mine' : ''
  const row = together
    ? element('li', { class: `message again${mine}` }, time, text)
    : element(
        'li',
        { class: `message${mine}` },
        element(
          'span',
          { class: 'avatar', 'aria-hidden': 'true', ...(said.from === null ? {} : { 'data-hue': hueOf(said.from) }) },
          said.from === null ? '–' : initials(displayName(model, said.from)),
        ),
        element('p', { class: 'byline' }, element('span', { class: 'name' }, displayName(model, said.from)), ' ', time),
        text,
      )
  return newDay ? [element('li', { class: 'day' }, element('span', {}, day.format(at))), row] : [row]
}

function emptyText(model: Model): string {
  const { here } = model
  if (here === null) return ''
  return here.kind === 'room'
    ? 'Nothing was said here yet.'
    : `Nothing between you and ${displayName(model, here.name)} yet. Only the two of you can read this.`
}
