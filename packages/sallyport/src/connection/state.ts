import type { KeeperConnection } from '../controls/lifetime/keeper.ts'
import type { BudgetKeys, MessageConnection, RateNeeds } from '../controls/message/message-control.ts'
import type { Attempt } from '../model/attempt.ts'
import type { Session } from '../model/session.ts'
import { addressKey } from '../store/address-key.ts'
import type { Connection } from './connection.ts'
import { FLAG } from './flags.ts'
import { NOTHING_RARE, RareState } from './rare-state.ts'
import type { Holder } from './read-ahead.ts'
import type { Delivery, GuardServices } from './services.ts'
import type { Transport } from './transport.ts'

const RARE_KEYS = Object.keys(NOTHING_RARE) as readonly (keyof RareState)[]

/**
 * One connection as the modules of this folder see it: its record, and the members that the app, the keeper and the
 * controls call.
 */
export type ConnectionState = ConnectionRecord & Connection & KeeperConnection & MessageConnection & Holder

/** The services of the guard that a connection belongs to. */
export type Services = GuardServices<ConnectionState>

/**
 * All data of one connection. It has no behaviour: its accessors read and write, and the functions of this folder act.
 * The fields that most connections do not need are in `rare`, a record that such connections share.
 */
export class ConnectionRecord {
  services: Services
  readonly transport: Transport
  readonly delivery: Delivery
  attempt: Attempt
  session: Session
  readyState: 0 | 1 | 2 | 3
  /** The bits of flags.ts. */
  flags = 0
  rare: Readonly<RareState> = NOTHING_RARE
  readonly openedAt: number
  lastMessageAt: number
  /** When the present message reached the door, in ms since the epoch. */
  judgedAt = 0
  /**
   * Time of the last ping, in ms since the opening. V8 stores such a small number in the object. It stores ms since the
   * epoch in a separate object.
   */
  private pingOffset = 0
  private checkOffset = 0
  private leaseOffset = 0
  /** Theoretical arrival time (GCRA) of heartbeats, in ms since the opening. */
  heartbeatOffset = 0
  messageTat = 0
  byteTat = 0
  budgetKeys: BudgetKeys | null = null
  slot = -1
  /** Bits of the lifetime controls that have reported in report mode, and bits that the keeper uses. */
  reported = 0
  data: unknown = undefined

  constructor(
    services: Services,
    attempt: Attempt & { readonly session: Session },
    transport: Transport,
    delivery: Delivery,
  ) {
    const now = services.now()
    this.services = services
    this.attempt = attempt
    this.session = attempt.session
    this.transport = transport
    this.delivery = delivery
    this.openedAt = now
    this.lastMessageAt = now
    this.readyState = attempt.ticket === 'deferred' ? 0 : 1
  }

  /** The connection's own record of rare fields, for writing. It is created at the first call. */
  ownRare(): RareState {
    if (this.rare === NOTHING_RARE) this.rare = new RareState()
    return this.rare
  }
  /**
   * Gives up the connection's own record if it holds only defaults, so that a reload does not cost each connection one.
   */
  dropRare(): void {
    for (const key of RARE_KEYS) if (this.rare[key] !== NOTHING_RARE[key]) return
    this.rare = NOTHING_RARE
  }
  flag(bit: number, on: boolean): void {
    if (on) this.flags |= bit
    else this.flags &= ~bit
  }

  // ——— facts that are bits ———

  get pongAwaited(): boolean {
    return (this.flags & FLAG.pongAwaited) !== 0
  }
  set pongAwaited(is: boolean) {
    this.flag(FLAG.pongAwaited, is)
  }
  get checking(): boolean {
    return (this.flags & FLAG.checking) !== 0
  }
  set checking(is: boolean) {
    this.flag(FLAG.checking, is)
  }
  get unjudged(): boolean {
    return (this.flags & FLAG.unjudged) !== 0
  }
  /** False while its socket is paused. Then all that the peer sends waits in the kernel, pongs too. */
  get reading(): boolean {
    return (this.flags & FLAG.paused) === 0
  }
  get isBehindMessages(): boolean {
    return (this.flags & FLAG.sentMuchBeforePing) !== 0
  }

  // ——— times, in ms since the epoch ———

  get pingedAt(): number {
    return this.openedAt + this.pingOffset
  }
  set pingedAt(at: number) {
    this.pingOffset = Math.round(at - this.openedAt)
  }
  get checkedAt(): number {
    return this.openedAt + this.checkOffset
  }
  set checkedAt(at: number) {
    this.checkOffset = Math.round(at - this.openedAt)
  }
  get leaseAt(): number {
    return this.openedAt + this.leaseOffset
  }
  set leaseAt(at: number) {
    this.leaseOffset = Math.round(at - this.openedAt)
  }
  /** When its handshake began. For a short handshake this is the time of the opening. */
  get enteredAt(): number {
    return this.rare.enteredAt || this.openedAt
  }

  // ——— rare fields: a setter creates the connection's own record only for a value that differs from the default ———

  get aheadBytes(): number {
    return this.rare.aheadBytes
  }
  set aheadBytes(bytes: number) {
    this.ownRare().aheadBytes = bytes
  }
  get aheadKey(): string {
    const rare = this.ownRare()
    rare.aheadKey ||= addressKey(this.attempt.request.ip)
    return rare.aheadKey
  }
  get rateNeeds(): RateNeeds | null {
    return this.rare.rateNeeds
  }
  set rateNeeds(needs: RateNeeds | null) {
    this.ownRare().rateNeeds = needs
  }
  get controlFrameTat(): number {
    return this.rare.controlFrameTat
  }
  set controlFrameTat(at: number) {
    this.ownRare().controlFrameTat = at
  }
  get delayedUntil(): number {
    return this.rare.delayedUntil
  }
  get unreadLookAt(): number {
    return this.rare.unreadLookAt
  }
  get cutAt(): number {
    return this.rare.cutAt
  }
  get leaveBy(): number {
    return this.rare.leaveBy
  }
  get leaveAt(): number {
    return this.rare.leaveAt
  }
  set leaveAt(at: number) {
    if (at !== this.rare.leaveAt) this.ownRare().leaveAt = at
  }
  get uncheckedSince(): number {
    return this.rare.uncheckedSince
  }
  set uncheckedSince(at: number) {
    if (at !== this.rare.uncheckedSince) this.ownRare().uncheckedSince = at
  }
  get retryAt(): number {
    return this.rare.retryAt
  }
  set retryAt(at: number) {
    if (at !== this.rare.retryAt) this.ownRare().retryAt = at
  }
  get failures(): number {
    return this.rare.failures
  }
  set failures(count: number) {
    if (count !== this.rare.failures) this.ownRare().failures = count
  }
  get lostAt(): number {
    return this.rare.lostAt
  }
  set lostAt(at: number) {
    if (at !== this.rare.lostAt) this.ownRare().lostAt = at
  }
  get slowSince(): number {
    return this.rare.slowSince
  }
  set slowSince(at: number) {
    if (at !== this.rare.slowSince) this.ownRare().slowSince = at
  }
  get slowLookAt(): number {
    return this.rare.slowLookAt
  }
  set slowLookAt(at: number) {
    if (at !== this.rare.slowLookAt) this.ownRare().slowLookAt = at
  }
  get slowUntil(): number {
    return this.rare.slowUntil
  }
  set slowUntil(at: number) {
    if (at !== this.rare.slowUntil) this.ownRare().slowUntil = at
  }
  get slowTaken(): number {
    return this.rare.slowTaken
  }
  set slowTaken(bytes: number) {
    if (bytes !== this.rare.slowTaken) this.ownRare().slowTaken = bytes
  }
  get slowBuffered(): number {
    return this.rare.slowBuffered
  }
  set slowBuffered(bytes: number) {
    if (bytes !== this.rare.slowBuffered) this.ownRare().slowBuffered = bytes
  }
  get pongUntil(): number {
    return this.rare.pongUntil
  }
  set pongUntil(at: number) {
    if (at !== this.rare.pongUntil) this.ownRare().pongUntil = at
  }
  get pongLookAt(): number {
    return this.rare.pongLookAt
  }
  set pongLookAt(at: number) {
    if (at !== this.rare.pongLookAt) this.ownRare().pongLookAt = at
  }
  get pongChanges(): number {
    return this.rare.pongChanges
  }
  set pongChanges(changes: number) {
    if (changes !== this.rare.pongChanges) this.ownRare().pongChanges = changes
  }
  get frameLookAt(): number {
    return this.rare.frameLookAt
  }
  set frameLookAt(at: number) {
    if (at !== this.rare.frameLookAt) this.ownRare().frameLookAt = at
  }
  get frameBytes(): number {
    return this.rare.frameBytes
  }
  set frameBytes(bytes: number) {
    if (bytes !== this.rare.frameBytes) this.ownRare().frameBytes = bytes
  }
}

/** Whether it is open. Callers check again after calls that may have ended it. */
export function isOpen({ readyState }: { readonly readyState: number }): boolean {
  return readyState === 1
}
