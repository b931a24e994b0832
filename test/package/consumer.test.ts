// The package as others get it: packed, installed into an empty folder, every snippet of the documents type-checked in
// strict TypeScript against it, and the runnable ones run and attacked.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, test } from 'node:test'
import { transformSync } from 'esbuild'
import { WebSocket } from 'ws'
import { freePort } from '../support/free-port.ts'
import { type Snippet, snippetsOf } from './snippets.ts'

const root = join(import.meta.dirname, '..', '..')
// The policy fragments of docs/controls are parsed by test/docs/drift.test.ts.
const documents = ['README.md', ...globSync('docs/**/*.md', { cwd: root, exclude: ['docs/controls/**'] }).toSorted()]
const snippets = documents.flatMap(document => snippetsOf(root, document))
const packages = [
  { name: 'sallyport', source: 'packages/sallyport/src' },
  { name: '@sallyport/gateway', source: 'packages/gateway/src' },
]
const folder = mkdtempSync(join(tmpdir(), 'sallyport-consumer-'))

function run(command: string, args: string[], cwd: string): string {
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  if (status !== 0) throw new Error(`${command} ${args[0]} failed:\n${stdout}${stderr}`.slice(0, 4000))
  return stdout
}
const npm = (args: string[], cwd: string): string => run('npm', args, cwd)

before(() => {
  const workspaces = packages.flatMap(({ name }) => ['-w', name])
  const packed = JSON.parse(npm(['pack', '--json', '--pack-destination', folder, ...workspaces], root)) as
    | { filename: string }[]
    | Record<string, { filename: string }>
  const tarballs = Object.values(packed).map(({ filename }) => join(folder, filename))
  const { version } = JSON.parse(readFileSync(join(root, 'node_modules/zod/package.json'), 'utf8')) as {
    version: string
  }
  writeFileSync(join(folder, 'package.json'), '{"name":"consumer","private":true,"type":"module"}')
  npm(
    [
      'install',
      '--no-audit',
      '--no-fund',
      '--prefer-offline',
      ...tarballs,
      'ws@8.23.0',
      `zod@${version}`,
      '@types/ws@8.18.2',
      '@types/node@24.10.1',
      'typebox@1.4.3',
      'jose@6.2.18',
      'express@5.3.0',
      '@types/express@5.0.6',
      'express-session@1.19.0',
      '@types/express-session@1.18.2',
      'fastify@5.12.8',
      '@fastify/websocket@11.3.6',
      'pino@10.4.0',
      'joi@18.3.2',
      'socket.io@4.8.4',
      'redis@6.3.1',
      'ioredis@6.0.0',
      '@nestjs/common@11.2.10',
      '@nestjs/core@11.2.10',
      '@nestjs/platform-express@11.2.10',
      '@nestjs/platform-socket.io@11.2.6',
      '@nestjs/platform-ws@11.2.6',
      '@nestjs/websockets@11.2.6',
      'reflect-metadata@0.2.2',
      'rxjs@7.8.2',
      'hono@4.13.19',
      '@hono/node-server@2.1.9',
      'koa@3.3.0',
      '@types/koa@3.0.3',
    ],
    folder,
  )
})
after(() => rmSync(folder, { recursive: true, force: true }))

for (const { name, source } of packages) {
  test(`the tarball of ${name} holds what is published and nothing else`, () => {
    const installed = join(folder, 'node_modules', name)
    const files = globSync('**/*.*', { cwd: installed, exclude: ['node_modules'] })
    assert.ok(existsSync(join(installed, 'LICENSE')))
    assert.deepEqual(
      files.filter(file => !file.startsWith('dist/')).toSorted(),
      ['README.md', 'package.json', ...(name === 'sallyport' ? [] : ['schema/gateway.schema.json'])].toSorted(),
    )
    for (const file of files.filter(file => file.startsWith('dist/'))) {
      const made = /^dist\/(.+?)(?:\.d\.ts|\.js)$/.exec(file)?.[1]
      assert.ok(made !== undefined && existsSync(join(root, source, `${made}.ts`)), `${file} has no source`)
      // A bundler warns about, and a debugger looks for, a map that is not there.
      assert.doesNotMatch(readFileSync(join(installed, file), 'utf8'), /^\/\/# sourceMappingURL=/m, file)
    }
  })

  test(`the README of ${name} links to what the repository has`, () => {
    const readme = readFileSync(join(folder, 'node_modules', name, 'README.md'), 'utf8')
    const links = [...readme.matchAll(/\]\((?![a-z]+:|#)([^)#]+)/g)].map(([, link]) => link!)
    assert.ok(links.length > 5)
    assert.deepEqual(
      links.filter(link => !existsSync(join(root, link))),
      [],
    )
  })
}

for (const { name } of packages)
  test(`the tarball of ${name} has a command that runs`, () => {
    const file = join(folder, 'node_modules', name, 'package.json')
    const { bin, version } = JSON.parse(readFileSync(file, 'utf8')) as { bin: Record<string, string>; version: string }
    assert.equal(run(join(folder, 'node_modules/.bin', Object.keys(bin)[0]!), ['--version'], folder).trim(), version)
  })

test('the packed command checks a policy in TypeScript and explains an attack', () => {
  const command = join(folder, 'node_modules/.bin/sallyport')
  writeFileSync(
    join(folder, 'policy.ts'),
    `import type { PolicyInput } from 'sallyport'
     export const policy: PolicyInput = {
       handshake: { origin: { allow: ['https://app.example.com'] }, session: () => null },
       message: { schema: { dangerouslyAcceptAnyMessage: true } },
     }`,
  )
  assert.match(run(command, ['check', 'policy.ts'], folder), /^no problem/)
  assert.match(run(command, ['report', 'policy.ts'], folder), /handshake\/origin/)
  const attack = ['--host', 'app.example.com', '--origin', 'https://app.example.com.evil.example']
  assert.throws(() => run(command, ['explain', 'policy.ts', ...attack], folder), /denied by .*handshake\/origin/)
})

test('its run-time dependencies stay few and tiny', () => {
  const { dependencies } = JSON.parse(readFileSync(join(folder, 'node_modules/sallyport/package.json'), 'utf8')) as {
    dependencies: Record<string, string>
  }
  assert.deepEqual(Object.keys(dependencies).toSorted(), [
    '@standard-schema/spec',
    'cookie',
    'cookie-signature',
    'ipaddr.js',
  ])
})

/** What the types of others do not bear: the document that shows them, and the option that is then another. */
const LENIENT: Readonly<Record<string, object>> = {
  // Hono's own type of a server takes none of `ws`'s.
  'docs/guide/hono.md': { exactOptionalPropertyTypes: false },
  // Koa's want another content-disposition than Express brings.
  'docs/guide/koa.md': { skipLibCheck: true },
}

/** Type-checks what is in a folder of the consumer's, as strictly as TypeScript can. */
function typeCheck(included: string, over: object = {}): void {
  const config = join(folder, `tsconfig.${included}.json`)
  writeFileSync(
    config,
    JSON.stringify({
      compilerOptions: {
        strict: true,
        exactOptionalPropertyTypes: true,
        module: 'nodenext',
        target: 'es2024',
        lib: ['es2024', 'dom', 'dom.iterable'],
        types: ['node'],
        noEmit: true,
        skipLibCheck: false,
        experimentalDecorators: true, // Nest's
        ...over,
      },
      include: [included],
    }),
  )
  run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', config], folder)
}

test(`every snippet of ${documents.length} documents type-checks in strict TypeScript against the package`, () => {
  assert.ok(snippets.length >= 5, 'the documents show code')
  const folderOf = (document: string): string => (document in LENIENT ? document.replaceAll(/\W+/g, '-') : 'snippets')
  for (const { document, name, code } of snippets) {
    mkdirSync(join(folder, folderOf(document)), { recursive: true })
    writeFileSync(join(folder, folderOf(document), `${name}.ts`), `${code}\nexport {}\n`)
  }
  typeCheck('snippets')
  for (const [document, over] of Object.entries(LENIENT)) typeCheck(folderOf(document), over)
})

/** What an app imports, of both packages. */
const exported = packages.flatMap(({ name, source }) => {
  const { exports } = JSON.parse(readFileSync(join(root, source, '../package.json'), 'utf8')) as { exports: object }
  return Object.keys(exports)
    .filter(path => !path.endsWith('.json'))
    .map(path => name + path.slice(1))
})

for (const [module, files] of [
  ['nodenext', ['all.mts', 'all.cts']],
  ['node16', ['all.mts']], // knows no require() of an ES module
  ['preserve', ['all.ts']], // moduleResolution bundler
] as const) {
  test(`the types of each of ${exported.length} exports resolve with module ${module}: ${files.join(', ')}`, () => {
    mkdirSync(join(folder, module))
    const code = exported.map((name, index) => `import * as m${index} from '${name}'\nvoid Object.keys(m${index})\n`)
    for (const file of files) writeFileSync(join(folder, module, file), code.join(''))
    typeCheck(module, { module })
  })
}

/** A library's module: its declarations must name what it made. */
const LIBRARY = `
import { createGuard, type MessagesOf } from 'sallyport'
import { connect } from 'sallyport/client'
import { serve } from 'sallyport/server'
import { z } from 'zod'
export const guard = createGuard({
  handshake: { origin: { allow: ['http://localhost:8080'] }, session: () => ({ id: 'an-id', user: 'ann', role: 'admin' as const }) },
  message: { schema: { chat: z.object({ message: z.string() }) } },
})
export const [options, report, metrics] = [guard.ws(), guard.report(), guard.metrics()]
export const start = () => serve({ guard, port: 8080, handlers: { chat: ({ message }, { session }) => message + session.role } })
export const page = () => connect<MessagesOf<typeof guard>>('/ws')
`

test('a library that exports what it makes of a policy has declarations', () => {
  mkdirSync(join(folder, 'library'))
  writeFileSync(join(folder, 'library', 'index.ts'), LIBRARY)
  typeCheck('library', { declaration: true, noEmit: false, rootDir: 'library', outDir: 'declared' })
  const declared = readFileSync(join(folder, 'declared', 'index.d.ts'), 'utf8')
  assert.match(declared, /const page: .*message: string/s)
  assert.doesNotMatch(declared, /sallyport\/dist/)
})

/** Runs a server snippet on a free port, and answers once it listens. */
async function start(snippet: Snippet, runtime: string): Promise<{ child: ChildProcess; port: number }> {
  const port = await freePort()
  const file = join(folder, `run-${snippet.name}.${snippet.run === 'nest' ? 'js' : 'ts'}`)
  const code = snippet.code.replaceAll('8080', String(port))
  writeFileSync(file, snippet.run === 'nest' ? withoutDecorators(code) : code)
  const child = spawn(runtime, [file], { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout! })
  if (snippet.code.includes('console.log(`guarded')) await once(lines, 'line')
  else await reachable(port)
  return { child, port }
}

/** Node strips types, and no decorators. */
function withoutDecorators(code: string): string {
  const tsconfigRaw = { compilerOptions: { experimentalDecorators: true } }
  return transformSync(code, { loader: 'ts', format: 'esm', tsconfigRaw }).code
}

async function reachable(port: number): Promise<void> {
  for (;;) {
    try {
      await fetch(`http://localhost:${port}/`)
      return
    } catch {
      await new Promise(resolve => setImmediate(resolve))
    }
  }
}

const runnable = snippets.filter(({ run }) => run !== null)
const bun = join(root, 'node_modules/.bin/bun')

for (const [snippet, runtime] of runnable.flatMap(snippet =>
  [process.execPath, ...(snippet.run === 'bun' ? [bun] : [])].map(runtime => [snippet, runtime] as const),
)) {
  const on = runtime === bun ? ' on Bun' : ''
  test(`the snippet ${snippet.name} runs${on}: it serves its own page, and a foreign page is refused`, async () => {
    const { child, port } = await start(snippet, runtime)
    try {
      const origin = `http://localhost:${port}`
      const cookie = 'sid=a-session-id'
      const hijack = new WebSocket(`ws://localhost:${port}/ws`, { origin: 'https://evil.example', headers: { cookie } })
      hijack.on('error', () => {})
      hijack.on('open', () => hijack.emit('error', new Error('a foreign page got in')))
      const [, refused] = await once(hijack, 'unexpected-response')
      assert.equal((refused as { statusCode: number }).statusCode, 403)

      const answer = await fetch(`${origin}/.sallyport/ticket?path=/ws`, {
        method: 'POST',
        headers: { origin, cookie },
      })
      assert.equal(answer.status, 200)
      const { ticket } = (await answer.json()) as { ticket: string }
      const honest = new WebSocket(`ws://localhost:${port}/ws`, ['sallyport.v1', `sallyport.ticket.${ticket}`], {
        origin,
        headers: { cookie },
      })
      await once(honest, 'open')
      const said = { message: 'hello', admin: true }
      const isNest = snippet.run === 'nest'
      honest.send(JSON.stringify(isNest ? { event: 'chat', data: said } : { type: 'chat', ...said }))
      const [data] = await once(honest, 'message')
      const whole = JSON.parse(String(data))
      const reply = (isNest ? whole.data : whole) as { message: string; admin?: boolean }
      assert.equal(reply.message, 'hello')
      assert.equal(reply.admin, undefined, 'an undeclared field must not come through')
      honest.terminate()
    } finally {
      child.kill()
      await once(child, 'exit')
    }
  })
}

/** What a browser does by itself: it has an address, and sends its Origin and its cookies. */
const BROWSER = `
globalThis.location = new URL('http://localhost:8080/')
const headers = { origin: 'http://localhost:8080', cookie: 'sid=a-session-id' }
const ask = globalThis.fetch
globalThis.fetch = (url, options) => ask(url, { ...options, headers })
const Native = globalThis.WebSocket
globalThis.WebSocket = class extends Native {
  constructor(url, protocols) { super(url, { protocols, headers }) }
}
`

for (const document of ['README.md', 'docs/guide/serve.md']) {
  test(`the page of ${document} is heard by the server of README.md, and answered`, async () => {
    const { code } = snippets.find(
      ({ document: of, code }) => of === document && code.includes("from 'sallyport/client'"),
    )!
    const { child, port } = await start(snippets.find(({ run }) => run === 'server')!, process.execPath)
    const file = join(folder, 'page.ts')
    writeFileSync(file, (BROWSER + code).replaceAll('8080', String(port)))
    const page = spawn(process.execPath, [file], { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'], timeout: 10_000 })
    try {
      let heard = false
      for await (const line of createInterface({ input: page.stdout! })) if ((heard = line.includes('hello'))) break
      assert.ok(heard, 'the page ended before it was answered')
    } finally {
      for (const process of [page, child]) if (process.kill()) await once(process, 'exit')
    }
  })
}

test('a newcomer who follows the README from `npm init` on gets a server that listens', async () => {
  const [, shell] = /## Ten lines\n+```sh\n(.*?)\n```/s.exec(readFileSync(join(root, 'README.md'), 'utf8'))!
  const [install, ...rest] = shell!.trim().split('\n')
  assert.match(install!, /^npm install sallyport ws zod$/)
  const fresh = join(folder, 'newcomer')
  mkdirSync(fresh)
  npm(['init', '--yes'], fresh) // says "type": "commonjs" since npm 11
  for (const line of rest) run('sh', ['-c', line], fresh)
  const port = await freePort()
  const { code } = snippets.find(({ run }) => run === 'server')!
  writeFileSync(join(fresh, 'server.ts'), code.replaceAll('8080', String(port)))
  const server = spawn(process.execPath, ['server.ts'], { cwd: fresh, stdio: ['ignore', 'pipe', 'inherit'] })
  try {
    let said = ''
    for await (const line of createInterface({ input: server.stdout })) if ((said = line) !== '') break
    assert.equal(said, `guarded: ws://localhost:${port}`)
  } finally {
    if (server.kill()) await once(server, 'exit')
  }
})

test('a CommonJS app requires each export', () => {
  const file = join(folder, 'app.cjs')
  writeFileSync(
    file,
    `for (const name of ${JSON.stringify(exported)}) if (Object.keys(require(name)).length === 0) throw new Error(name)`,
  )
  run(process.execPath, [file], folder)
})

/** What an app does, and what it is told where an optional peer is not installed. */
const peerless = [
  ['for (const name of NAMES) await import(name)', ''],
  ["(await import('sallyport')).createGuard(POLICY).ws()", 'npm install ws'],
  [
    "(await import('sallyport')).createGuard({ ...POLICY, message: { schema: { chat: { type: 'object' } } } })",
    'npm install typebox',
  ],
  ["await import('sallyport/session/jwt')", "Cannot find package 'jose'"],
] as const

test('without its optional peers it is imported all the same; what needs one names the package to install', t => {
  const bare = mkdtempSync(join(tmpdir(), 'sallyport-bare-'))
  t.after(() => rmSync(bare, { recursive: true, force: true }))
  for (const name of ['sallyport', '@standard-schema/spec', 'cookie', 'cookie-signature', 'ipaddr.js']) {
    cpSync(join(folder, 'node_modules', name), join(bare, 'node_modules', name), { recursive: true })
  }
  const names = exported.filter(name => name.startsWith('sallyport') && name !== 'sallyport/session/jwt')
  const file = join(bare, 'app.mjs')
  for (const [code, told] of peerless) {
    writeFileSync(
      file,
      `const NAMES = ${JSON.stringify(names)}
       const POLICY = {
         handshake: { origin: { allow: ['http://localhost:8080'] }, session: () => null },
         message: { schema: { dangerouslyAcceptAnyMessage: true } },
       }
       try { ${code} } catch (error) { process.stdout.write(error.message) }`,
    )
    const said = run(process.execPath, [file], bare)
    assert.ok(told === '' ? said === '' : said.includes(told), `${code}: ${said}`)
  }
})

test('the README shows two servers that run, the guides those that are made otherwise', () => {
  assert.deepEqual(
    runnable.map(({ document, run }) => [document, run]),
    [
      ['README.md', 'server'],
      ['README.md', 'ws'],
      ['docs/guide/fastify.md', 'fastify'],
      ['docs/guide/hono.md', 'hono'],
      ['docs/guide/hono.md', 'bun'],
      ['docs/guide/koa.md', 'koa'],
      ['docs/guide/nest.md', 'nest'],
      ['docs/guide/schemas.md', 'joi'],
    ],
  )
})
