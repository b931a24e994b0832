const AUTHORITY = 'name the authority that signed its certificate in tls.ca of the upstream'
const NO_TLS = 'the target speaks no TLS: write ws:// instead of wss://'

/** What to do about each error code of a target. */
const REMEDIES: { readonly [code: string]: string } = {
  DEPTH_ZERO_SELF_SIGNED_CERT: AUTHORITY,
  SELF_SIGNED_CERT_IN_CHAIN: AUTHORITY,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT: AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: AUTHORITY,
  ERR_TLS_CERT_ALTNAME_INVALID: 'write the name that its certificate has as tls.serverName of the upstream',
  CERT_HAS_EXPIRED: 'renew the certificate of the target',
  CERT_NOT_YET_VALID: 'check the clocks, or wait for the certificate of the target',
  ERR_SSL_WRONG_VERSION_NUMBER: NO_TLS,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: NO_TLS,
  ECONNREFUSED: 'start the target, or correct targets of the upstream',
  ENOENT: 'start the target, or correct targets of the upstream',
  ENOTFOUND: 'correct the name in targets of the upstream',
}

/** The remedy for a failure, by the code in its detail. Null if none is known. */
export function remedyOf(detail: string): string | null {
  for (const [code] of detail.matchAll(/\b[A-Z][A-Z_\d]{3,}\b/g))
    if (Object.hasOwn(REMEDIES, code)) return REMEDIES[code]!
  return null
}
