import type { ControlId } from '../../packages/sallyport/src/model/verdict.ts'
import { CONTROLS } from '../../packages/sallyport/src/policy/controls.ts'
import type { Requirement } from './requirement.ts'
import { CHECKLIST, OWASP } from './requirements-checklist.ts'
import { ASVS, LOGGING, RFC } from './requirements-standards.ts'

/** Where demands come from, and their lines. */
export const SOURCES: readonly { readonly title: string; readonly lines: readonly Requirement[] }[] = [
  { title: 'The checklist', lines: CHECKLIST },
  { title: 'OWASP WebSocket Security Cheat Sheet', lines: OWASP },
  { title: 'OWASP ASVS 5.0', lines: ASVS },
  { title: 'RFC 6455 §10', lines: RFC },
  { title: 'OWASP Logging Vocabulary', lines: LOGGING },
]

/** Every line, by id. */
export const REQUIREMENTS: ReadonlyMap<string, Requirement> = new Map(
  SOURCES.flatMap(source => source.lines.map(line => [line.id, line] as const)),
)

/** The controls that name a line. */
export function controlsOf(id: string): readonly ControlId[] {
  return CONTROLS.filter(control => control.requirements.includes(id)).map(control => control.id)
}

/** Path of the test of a control. */
export function testOf(id: ControlId): string {
  return `packages/sallyport/test/${id}.test.ts`
}

/** Path of the source of a control. */
export function sourceOf(id: ControlId): string {
  return `packages/sallyport/src/controls/${id}.ts`
}

/** All tests that show a line. */
export function testsOf(line: Requirement): readonly string[] {
  return [...new Set([...controlsOf(line.id).map(testOf), ...line.tests])]
}
