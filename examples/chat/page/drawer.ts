import { byId } from './element.ts'

/** The sidebar on a narrow screen: a drawer that the keyboard can open, walk and leave. Answers with its `close`. */
export function startDrawer(): () => void {
  const app = byId('app', HTMLElement)
  const opener = byId('open-sidebar', HTMLButtonElement)
  const backdrop = byId('backdrop', HTMLElement)
  const conversation = byId('conversation', HTMLElement)
  const set = (open: boolean): void => {
    app.classList.toggle('drawer-open', open)
    opener.ariaExpanded = String(open)
    backdrop.hidden = !open
    conversation.inert = open
  }
  const close = (): void => {
    if (!app.classList.contains('drawer-open')) return
    set(false)
    opener.focus()
  }
  opener.addEventListener('click', () => {
    set(true)
    document.querySelector<HTMLElement>('#sidebar [aria-current]')?.focus()
  })
  backdrop.addEventListener('click', close)
  document.addEventListener('keydown', event => {
    if (event.key === 'Escape') close()
  })
  matchMedia('(min-width: 761px)').addEventListener('change', () => set(false))
  return close
}
