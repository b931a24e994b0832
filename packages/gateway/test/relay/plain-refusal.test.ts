import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createPlainRefusal, POLLING } from '../../src/relay/plain-refusal.ts'

describe('plain HTTP that no backend gets', () => {
  const rows: readonly [name: string, patterns: readonly string[], target: string, refused: boolean][] = [
    ['Engine.IO’s polling', [POLLING], '/socket.io/?EIO=4&transport=polling', true],
    ['its JSONP', [POLLING], '/socket.io/?EIO=3&transport=polling&j=0', true],
    ['wherever it is', [POLLING], '/engine?transport=polling', true],
    ['other letters', [POLLING], '/?Transport=POLLING', true],
    ['an escaped name', [POLLING], '/?tr%61nsport=polling', true],
    ['an escaped value', [POLLING], '/?transport=%70olling', true],
    ['escaped twice', [POLLING], '/?transport=%2570olling', true],
    ['an escaped =', [POLLING], '/?transport%3Dpolling', true],
    ['an escaped ?', [POLLING], '/socket.io/%3Ftransport=polling', true],
    ['said twice, the last decides', [POLLING], '/?transport=websocket&transport=polling', true],
    ['said twice, the first decides', [POLLING], '/?transport=polling&transport=websocket', true],
    ['a semicolon between', [POLLING], '/?EIO=4;transport=polling', true],
    ['behind a fragment', [POLLING], '/?a=b#&transport=polling', true],
    ['as a list', [POLLING], '/?transport[]=polling', true],
    ['as an escaped list', [POLLING], '/?transport%5B0%5D=polling', true],
    ['blanks around', [POLLING], '/?%20transport=polling+', true],
    ['a zero byte', [POLLING], '/?transport=polling%00', true],
    ['websocket', [POLLING], '/?transport=websocket', false],
    ['another name', [POLLING], '/?mytransport=polling', false],
    ['another value', [POLLING], '/?transport=pollings', false],
    ['in the path', [POLLING], '/transport=polling', false],
    ['a broken escape', [POLLING], '/?transport=%zzpolling', false],
    ['nothing refused', [], '/?transport=polling', false],
    ['a name, whatever its value', ['?sid'], '/?sid=1', true],
    ['a name without value', ['?sid'], '/?sid', true],
    ['a name that begins alike', ['?sid'], '/?sidx=1', false],
    ['a path', ['/poll'], '/poll', true],
    ['a path with a query', ['/poll'], '/poll?x=1', true],
    ['below a path', ['/poll'], '/poll/x', false],
    ['a path that begins alike', ['/poll'], '/polls', false],
    ['a slash at the end', ['/poll'], '/poll/', true],
    ['all below', ['/sockjs/*'], '/sockjs/1/abc/xhr_streaming', true],
    ['the stem itself', ['/sockjs/*'], '/sockjs', true],
    ['another stem', ['/sockjs/*'], '/sockjsx/info', false],
    ['doubled slashes', ['/sockjs/*'], '//sockjs///info', true],
    ['dots', ['/sockjs/*'], '/a/../sockjs/./info', true],
    ['escaped dots', ['/sockjs/*'], '/a/%2e%2e/sockjs/info', true],
    ['dots beyond the root', ['/sockjs/*'], '/../sockjs/info', true],
    ['dots out of it', ['/sockjs/*'], '/sockjs/../app.js', false],
    ['an escaped letter', ['/sockjs/*'], '/%73ockjs/info', true],
    ['escaped twice in the path', ['/sockjs/*'], '/%2573ockjs/info', true],
    ['an escaped slash', ['/sockjs/*'], '/sockjs%2finfo', true],
    ['a backslash', ['/sockjs/*'], '/sockjs\\info', true],
    ['a parameter of a segment', ['/sockjs/*'], '/sockjs;jsessionid=1/info', true],
    ['other letters in the path', ['/sockjs/*'], '/SockJS/info', true],
    ['all', ['/*'], '/', true],
  ]
  for (const [name, patterns, target, refused] of rows) {
    test(name, () => assert.equal(createPlainRefusal(patterns)(target), refused))
  }
})
