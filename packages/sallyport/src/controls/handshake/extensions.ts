import type { Policy } from '../../model/policy.ts'

/** What is negotiated of permessage-deflate (RFC 7692). */
export interface DeflateOffer {
  /** Messages below this many bytes go out uncompressed. */
  readonly threshold: number
  /** Greatest LZ77 window, as the exponent of two. */
  readonly windowBits: number
}

/**
 * `handshake/extensions`: null is "negotiate nothing", the default (OWASP 3). Where deflate is allowed no context is
 * kept between messages, so that an idle connection holds no window; what a message may inflate to is
 * `message.size.bytes`, enforced by the inflater as it goes. It denies nothing: an offer is simply not taken up.
 */
export function extensions(policy: Policy): DeflateOffer | null {
  return policy.handshake.extensions
}
