import { byId } from './element.ts'

export interface Composer {
  /** Names the conversation that is written to. */
  address(label: string): void
  focus(): void
}

/** Shown from this many characters before the bound. */
const NEAR_BOUND = 150
/** How often typing is told, in ms. */
const TYPING_EVERY_MS = 3000

/** The message field. `send` answers false when the words must stay. */
export function startComposer(send: (text: string) => boolean, typing: () => void): Composer {
  const form = byId('composer', HTMLFormElement)
  const field = byId('composer-text', HTMLTextAreaElement)
  const label = byId('composer-label', HTMLLabelElement)
  const count = byId('count', HTMLElement)
  let told = 0
  const fit = (): void => {
    field.rows = Math.min(6, field.value.split('\n').length)
    const left = field.maxLength - field.value.length
    count.textContent = left <= NEAR_BOUND ? `${left} left` : ''
  }
  field.addEventListener('input', () => {
    fit()
    if (field.value.trim() !== '' && Date.now() - told > TYPING_EVERY_MS) {
      told = Date.now()
      typing()
    }
  })
  field.addEventListener('keydown', event => {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return
    event.preventDefault()
    form.requestSubmit()
  })
  form.addEventListener('submit', event => {
    event.preventDefault()
    const text = field.value.trim()
    if (text === '' || !send(text)) return
    field.value = ''
    told = 0
    fit()
    field.focus()
  })
  return {
    address(text) {
      label.textContent = text
      field.placeholder = text
    },
    focus: () => field.focus(),
  }
}
