import type { PolicyOf } from '../definition.ts'
import { age } from './age.ts'
import { authentication } from './authentication.ts'
import { backpressure } from './backpressure.ts'
import { heartbeat } from './heartbeat.ts'
import { idle } from './idle.ts'
import { session } from './session.ts'
import { shutdown } from './shutdown.ts'

/** The controls of an open connection, most serious reason first. The first one that is due decides the close code. */
export const LIFETIME = [session, authentication, backpressure, age, idle, heartbeat, shutdown] as const

/** What of a policy the controls of an open connection look at. */
export type LifetimePolicy = PolicyOf<(typeof LIFETIME)[number]>
