import type { Demo, Me } from './api.ts'
import { Refused, signIn } from './api.ts'
import { byId, element, hueOf, initials } from './element.ts'

/** Shows the sign-in form and answers with who signed in. `notice` says why the person is here again. */
export function askToSignIn({ accounts }: Demo, notice: string): Promise<Me> {
  const view = byId('sign-in', HTMLElement)
  const form = byId('sign-in-form', HTMLFormElement)
  const name = byId('name', HTMLInputElement)
  const password = byId('password', HTMLInputElement)
  const problem = byId('sign-in-error', HTMLElement)
  problem.textContent = notice
  view.hidden = false
  byId('demo-accounts', HTMLElement).replaceChildren(
    ...accounts.map(account => {
      const button = element(
        'button',
        { type: 'button', 'aria-label': `Fill in ${account.displayName}` },
        element(
          'span',
          { class: 'avatar', 'data-hue': hueOf(account.name), 'aria-hidden': 'true' },
          initials(account.displayName),
        ),
        element('span', { class: 'name' }, account.displayName),
        element('code', {}, account.password),
      )
      button.addEventListener('click', () => {
        name.value = account.name
        password.value = account.password
        form.querySelector('button')?.focus()
      })
      return button
    }),
  )
  name.focus()
  return new Promise(resolve => {
    const submit = async (event: SubmitEvent): Promise<void> => {
      event.preventDefault()
      form.ariaBusy = 'true'
      try {
        const user = await signIn(name.value, password.value)
        form.removeEventListener('submit', onSubmit)
        form.reset()
        problem.textContent = ''
        view.hidden = true
        resolve(user)
      } catch (error) {
        problem.textContent = error instanceof Refused ? error.message : 'The server cannot be reached.'
        password.select()
      } finally {
        form.ariaBusy = 'false'
      }
    }
    const onSubmit = (event: SubmitEvent): void => void submit(event)
    form.addEventListener('submit', onSubmit)
  })
}
