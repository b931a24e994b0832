/** What the parameters of a vocabulary name are made of. */
export interface EventParameters {
  /** Keyed hash of the user; undefined before the session is known. */
  readonly user: string | undefined
  readonly ip: string
  readonly useragent: string
  readonly origin: string
  readonly path: string
  /** The control that speaks. */
  readonly control: string
  /** Code or reason. */
  readonly reason: string
}

/** A comma in a parameter would read as the start of the next. */
const parameter = (text: string): string => text.replaceAll(',', ';')

type Row = (of: EventParameters) => readonly string[]
const user: Row = of => [of.user ?? of.ip]
const probe: Row = of => [of.user ?? of.ip, of.control, of.useragent]
const crossSite: Row = of => [of.user ?? of.ip, of.useragent, of.origin]
const limit: Row = of => [of.user ?? of.ip, of.control]

/** Parameters by name, in the order in which the OWASP Logging Vocabulary writes them. */
const ROWS: { readonly [event: string]: Row } = Object.freeze({
  authn_login_success: user,
  authn_login_fail: user,
  authn_token_created: of => [of.user ?? of.ip, of.path],
  authn_token_revoked: of => [of.user ?? of.ip, of.reason],
  authn_token_reuse: of => [of.user ?? of.ip, of.reason],
  authz_fail: of => [of.user ?? of.ip, of.path],
  excess_rate_limit_exceeded: limit,
  excess_sessions_exceeded: limit,
  input_validation_fail: of => [of.control, of.user ?? of.ip],
  malicious_attack_tool: probe,
  malicious_cors: crossSite,
  malicious_csrf: crossSite,
  malicious_extraneous: probe,
  sequence_fail: user,
  session_created: user,
  session_expired: of => [of.user ?? of.ip, of.reason],
  session_logout: user,
  session_use_after_expire: user,
  sys_crash: of => [of.reason],
})

/** `malicious_cors:<user or IP>,<useragent>,<origin>`: a name of the vocabulary with its parameters. */
export function vocabularyName(event: string, of: EventParameters): string {
  return `${event}:${(ROWS[event] ?? user)(of).map(parameter).join(',')}`
}
