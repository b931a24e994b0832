import { ABNORMAL } from '../wire/index.ts'
import { AppSide } from './app-calls.ts'

/** How long messages that came before the peer's close frame may wait for a verdict, or for a handler to end. */
const LAST_WORDS_MS = 500

/** How a connection ends from the peer's side, and what becomes of messages that it sent before. */
export abstract class LastWords extends AppSide {
  protected abstract tellEnded(code: number): void
  protected abstract tellOver(): void

  /** Whether it has ended, and messages from before the peer's close frame are still handled. */
  get lingers(): boolean {
    return this.rare.closedWith !== 0 && this.readyState === 2
  }

  closing(): void {
    if (this.readyState >= 2 || this.hasLastWords) return
    this.leaveFor(null)
    this.rare.abort?.abort()
  }

  closed(code: number): void {
    if (this.readyState === 3 || this.rare.closedWith !== 0) return
    const lasts = code !== ABNORMAL && this.hasLastWords
    this.readyState = lasts ? 2 : 3
    this.dropHeld()
    if (lasts) {
      this.ownRare().closedWith = code
      setTimeout(() => this.endLastWords(), LAST_WORDS_MS).unref()
    } else this.dropRead()
    this.tellEnded(code)
    if (lasts) return
    this.rare.abort?.abort()
    this.ended(code)
  }

  /** Calls `over` once the app may be told of the end: at once, unless messages that came before it are still handled. */
  onceOver(over: () => void): void {
    if (this.lingers) this.ownRare().over = over
    else over()
  }

  protected endLastWords(): void {
    const { closedWith, over } = this.rare
    if (closedWith === 0 || this.readyState === 3) return
    this.readyState = 3
    this.dropRead()
    this.tellOver()
    // Not before: a handler that begins would wait for what has happened.
    this.rare.abort?.abort()
    this.ended(closedWith)
    over?.()
  }

  private dropRead(): void {
    this.dropBacklog()
    this.endAhead()
  }
}
