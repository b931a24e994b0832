import { byId } from './element.ts'

const KEY = 'theme'

/** Light or dark: what the system says, until the person says otherwise. */
export function startTheme(): void {
  const button = byId('theme', HTMLButtonElement)
  const system = matchMedia('(prefers-color-scheme: dark)')
  const dark = (): boolean => {
    const chosen = document.documentElement.dataset['theme']
    return chosen === undefined ? system.matches : chosen === 'dark'
  }
  const label = (): void => {
    button.textContent = dark() ? 'Switch to light' : 'Switch to dark'
  }
  const kept = localStorage.getItem(KEY)
  if (kept === 'light' || kept === 'dark') document.documentElement.dataset['theme'] = kept
  button.addEventListener('click', () => {
    const next = dark() ? 'light' : 'dark'
    document.documentElement.dataset['theme'] = next
    localStorage.setItem(KEY, next)
    label()
  })
  system.addEventListener('change', label)
  label()
}
