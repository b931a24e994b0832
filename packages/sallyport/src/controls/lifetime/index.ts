import { age } from './age.ts'
import { authentication } from './authentication.ts'
import { backpressure } from './backpressure.ts'
import { heartbeat } from './heartbeat.ts'
import { idle } from './idle.ts'
import type { LifetimeControl } from './lifetime-control.ts'
import { session } from './session.ts'
import { shutdown } from './shutdown.ts'

/** The controls of an open connection, most serious reason first. The first one that is due decides the close code. */
export const LIFETIME: readonly LifetimeControl[] = [
  session,
  authentication,
  backpressure,
  age,
  idle,
  heartbeat,
  shutdown,
]
