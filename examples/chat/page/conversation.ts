import type { Demo, Me } from './api.ts'
import { signOut } from './api.ts'
import { startComposer } from './composer.ts'
import { startDrawer } from './drawer.ts'
import { byId, hueOf, initials } from './element.ts'
import { openGuardedLink } from './guarded-link.ts'
import type { Link, LinkState, Sent } from './link.ts'
import { drawConversation, drawNewest } from './message-list.ts'
import type { Model, Place } from './model.ts'
import { createModel, displayName, keyOf, learn, placesOf } from './model.ts'
import { drawSidebar } from './sidebar.ts'
import { openUnguardedLink } from './unguarded-link.ts'

/** What the page says of each state of its connection. */
const STATUS: Readonly<Record<LinkState, string>> = {
  connecting: 'Connecting…',
  open: 'Connected',
  resting: 'Resting',
  ended: 'Signed out',
  stopped: 'Disconnected. Reload to try again.',
}
const TOAST_MS = 5000

/** Runs the chat for someone who is signed in, until the page is left. */
export function converse(me: Me, demo: Demo): void {
  const model = createModel()
  model.you = me.name
  const closeDrawer = startDrawer()
  let link: Link | null = null
  let leaving = 'You were signed out. Sign in to go on.'
  const send = (message: Sent): boolean => link?.send(message) ?? false

  const go = (place: Place): void => {
    model.here = place
    model.unread.delete(keyOf(place))
    if (place.kind === 'room' && !model.said.has(keyOf(place))) send({ type: 'history', roomId: place.id })
    drawHeading(model)
    drawConversation(model)
    drawSidebar(model, go)
    drawTyping(model)
    composer.address(place.kind === 'room' ? `Message #${place.name}` : `Message ${displayName(model, place.name)}`)
    closeDrawer()
  }
  const composer = startComposer(
    text => {
      const { here } = model
      const sent =
        here !== null &&
        send(
          here.kind === 'room'
            ? { type: 'chat', roomId: here.id, message: text }
            : { type: 'private', to: here.name, message: text },
        )
      if (!sent) toast('Not connected yet. Your words are kept; try again in a moment.')
      return sent
    },
    () => {
      if (model.here?.kind === 'room') send({ type: 'typing', roomId: model.here.id })
    },
  )

  const open = demo.guarded ? openGuardedLink : openUnguardedLink
  link = open({
    message(message) {
      const known = model.here
      const news = learn(model, message)
      if (message.type === 'welcome') {
        // After a reconnect the server may know more than the page: everything is asked for again.
        model.said.clear()
        send({ type: 'getPrivateMessages' })
        if (model.here !== null) go(model.here)
        if (known === null) composer.focus()
      } else if (message.type === 'accountDeleted') {
        leaving = 'Your account was deleted. The next start of the demo brings it back.'
      } else if (news === null) {
        drawSidebar(model, go)
        drawTyping(model)
      } else {
        drawSidebar(model, go)
        drawTyping(model)
        if (model.here === null || news.key !== keyOf(model.here)) return
        if (news.live) drawNewest(model)
        else drawConversation(model)
      }
    },
    refused: code => toast(`The server refused that message (${code}).`),
    state(state) {
      const status = byId('status', HTMLElement)
      status.textContent = STATUS[state]
      status.dataset['state'] = state
      if (state === 'ended') leave(leaving)
    },
  })
  const ended = link

  byId('sign-out', HTMLButtonElement).addEventListener('click', () => {
    ended.close()
    signOut().then(
      () => leave('You are signed out.'),
      () => toast('Signing out failed. Try again.'),
    )
  })
  const dialog = byId('delete-dialog', HTMLDialogElement)
  byId('delete-account', HTMLButtonElement).addEventListener('click', () => {
    byId('menu', HTMLElement).hidePopover()
    dialog.showModal()
  })
  dialog.addEventListener('close', () => {
    if (dialog.returnValue === 'delete' && !send({ type: 'deleteAccount' }))
      toast('Not connected yet. Try again in a moment.')
    dialog.returnValue = ''
  })
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState !== 'visible' || model.here === null) return
    model.unread.delete(keyOf(model.here))
    drawSidebar(model, go)
  })
  document.addEventListener('keydown', event => {
    if (!event.altKey || (event.key !== 'ArrowUp' && event.key !== 'ArrowDown') || model.here === null) return
    event.preventDefault()
    const places = placesOf(model)
    const now = places.findIndex(place => keyOf(place) === keyOf(model.here!))
    go(places.at((now + (event.key === 'ArrowDown' ? 1 : -1)) % places.length)!)
    composer.focus()
  })
  setInterval(() => drawTyping(model), 1000)

  drawMe(me)
  byId('app', HTMLElement).hidden = false
}

/** Back to the sign-in form, with a clean page: nothing of the last session stays in memory. */
function leave(notice: string): void {
  sessionStorage.setItem('notice', notice)
  location.reload()
}

function drawMe({ name, displayName: shown }: Me): void {
  const avatar = byId('my-avatar', HTMLElement)
  avatar.textContent = initials(shown)
  avatar.dataset['hue'] = hueOf(name)
  byId('my-name', HTMLElement).textContent = shown
  byId('my-handle', HTMLElement).textContent = `@${name}`
}

function drawHeading(model: Model): void {
  const { here } = model
  if (here === null) return
  const online = model.people.some(person => person.name === (here.kind === 'person' ? here.name : '') && person.online)
  byId('title', HTMLElement).textContent = here.kind === 'room' ? `# ${here.name}` : displayName(model, here.name)
  byId('topic', HTMLElement).textContent =
    here.kind === 'room' ? here.topic : `Private · ${online ? 'online' : 'offline'}`
}

function drawTyping(model: Model): void {
  drawHeading(model)
  const typing = model.here === null ? undefined : model.typing.get(keyOf(model.here))
  const text = typing !== undefined && typing.until > Date.now() ? `${displayName(model, typing.from)} is typing…` : ''
  const line = byId('typing', HTMLElement)
  if (line.textContent !== text) line.textContent = text
}

let toastTimer: ReturnType<typeof setTimeout> | undefined

function toast(text: string): void {
  const box = byId('toast', HTMLElement)
  box.textContent = text
  box.hidden = false
  clearTimeout(toastTimer)
  toastTimer = setTimeout(() => {
    box.hidden = true
  }, TOAST_MS)
}
