import * as fc from 'fast-check'

// By itself fast-check ends at some ten elements, whatever `maxLength` says: what lies beyond would never be tried.
fc.configureGlobal({ defaultSizeToMaxWhenMaxSpecified: true })

export { fc }
