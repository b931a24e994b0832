/**
 * The gateway as a library, for who builds a process of their own around it; `sallyport-gateway` is the one that is ready.
 * A configuration says what is served, a guard for each route (made with `createGuard`) what is allowed there.
 */
export type * from './config/types.ts'
export type { Gateway, GatewayLog, GatewayParts, PairView, ReplaceResult, TargetView } from './relay/contract.ts'
export { createGateway } from './relay/gateway.ts'
