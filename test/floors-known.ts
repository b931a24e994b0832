/** What is still wrong in the library: arrows that lead up, and circles. No line is added; the list ends empty. */
export const KNOWN: readonly string[] = [
  'adapters/socket-io.ts → index.ts',
  'circle of files: client/options.ts → client/heartbeat.ts → client/options.ts',
  'circle of files: connection/services.ts → connection/app-calls.ts → connection/services.ts',
  'circle of files: event/exposition.ts → event/counters.ts → event/exposition.ts',
  'circle of files: model/verdict.ts → model/denials.ts → model/verdict.ts',
  'circle of folders: guard → connection → guard',
  'circle of folders: index.ts → adapters → index.ts',
  'circle of folders: policy → controls/handshake → policy',
  'connection/live-connection.ts → guard/entering.ts',
  'connection/live-connection.ts → guard/standing.ts',
  'connection/services.ts → guard/standing.ts',
  'controls/handshake/session.ts → policy/denials.ts',
  'event/catalogue.ts → policy/denials.ts',
  'server/serve.ts → index.ts',
]
