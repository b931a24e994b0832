/** A policy of which only these sections of `lifetime` are used. */
export interface LifetimeOf<Sections> {
  readonly lifetime: Readonly<Sections>
}
