/**
 * The gateway as a library, for a process of your own around it, or to check a configuration in CI;
 * `sallyport-gateway` is the one that is ready. A configuration says what is served, a guard for each route (made with
 * `createGuardOf`, or with `createGuard` by yourself) what is allowed there.
 */
export { ConfigError, type ConfigProblem, formatProblems } from './config/config-error.ts'
export { type ParsedConfig, parseConfig, parseConfigFully, type ParseOptions } from './config/parse.ts'
export type * from './model/config.ts'
export type { Weakness } from './config/weakness.ts'
export type { ReadFile } from './config/reading.ts'
export type {
  Gateway,
  GatewayLog,
  GatewayParts,
  PairView,
  RefusalCount,
  RefusalReason,
  ReplaceResult,
  TargetView,
} from './model/gateway.ts'
export { createGateway } from './runtime/gateway.ts'
export { createGuardOf } from './runtime/route-guard.ts'
export type { SharedParts } from './runtime/shared-parts.ts'
