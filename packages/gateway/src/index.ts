// Who owns what, while the gateway is written by two:
//   relay half:     src/relay/** src/upstream/** src/listener/** test/relay/** test/upstream/** bench/gateway*
//   operation half: src/config/** (after types.ts) src/cli/** src/admin/** src/session/** src/reload/** deploy/** docs/gateway/** demo
// The seam: config/types.ts (what is configured) and relay/contract.ts (what runs of it):
//   config half gives a GatewayConfig and, for each route, a Guard made with createGuard (its session resolver inside);
//   relay half gives createGateway({ config, guardOf, log }) → listen, replace (for reload), drain, close, connections, targets.

export type * from './config/types.ts'
export type { Gateway, GatewayLog, GatewayParts, PairView, ReplaceResult, TargetView } from './relay/contract.ts'
export { createGateway } from './relay/gateway.ts'
