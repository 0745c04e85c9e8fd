// Who may read: other origins, isolated pages, those who know the password.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { program, serve, site, test } from './harness.mjs'

const page = () => site({ 'index.html': '<!doctype html><title>page</title>' })
const data = () => site({ 'data.json': '{"fish":1}' })

/// What a page learns of `url`: the text, or that it may not read.
const read = (page, url, options = {}) => page.evaluate(async ([url, options]) => {
  try {
    const response = await fetch(url, options)
    return [response.status, await response.text(), response.headers.get('Content-Range')]
  } catch (error) {
    return error.name
  }
}, [url, options])

test('a page of another origin reads nothing', { directory: page, complains: /CORS|ERR_FAILED/ }, async ({ page, url }) => {
  const other = await serve(data())
  await page.goto(url)
  assert.equal(await read(page, `${other.url}data.json`), 'TypeError')
  await other.stop()
})

test('with --cors it reads answers, ranges and errors, and may say what it likes', { directory: page }, async ({ page, url }) => {
  const other = await serve(data(), ['--cors'])
  await page.goto(url)
  assert.deepEqual(await read(page, `${other.url}data.json`), [200, '{"fish":1}', null])
  const headers = { Range: 'bytes=1-6', 'X-Fish': '1' }
  assert.deepEqual(await read(page, `${other.url}data.json`, { headers }), [206, '"fish"', 'bytes 1-6/10'])
  assert.equal((await read(page, `${other.url}none`))[0], 404)
  const put = await read(page, `${other.url}echo`, { method: 'PUT', headers: { 'Content-Type': 'application/json' }, body: '[1]' })
  assert.deepEqual(put, [200, '[1]', null])
  await other.stop()
})

test('with --cors=ORIGIN that origin reads with credentials, and no other does', { directory: page, complains: /CORS|ERR_FAILED/ }, async ({ page, url }) => {
  const { origin } = new URL(url)
  const named = await serve(data(), [`--cors=${origin}`])
  const other = await serve(data(), ['--cors=http://a.test'])
  await page.goto(url)
  const credentials = { credentials: 'include' }
  assert.equal((await read(page, `${named.url}data.json`, credentials))[1], '{"fish":1}')
  assert.equal(await read(page, `${other.url}data.json`, credentials), 'TypeError')
  await Promise.all([named.stop(), other.stop()])
})

const threads = () => site({
  'index.html': '<!doctype html><title>threads</title>',
  'worker.js': 'onmessage = ({ data }) => { Atomics.store(data, 0, 42); Atomics.notify(data, 0); postMessage("done") }',
})

test('with --isolate memory is shared with a worker', { directory: threads, flags: ['--isolate'] }, async ({ page, url }) => {
  await page.goto(url)
  const found = await page.evaluate(async () => {
    const shared = new Int32Array(new SharedArrayBuffer(4))
    const worker = new Worker('worker.js')
    const done = new Promise((resolve, reject) => { worker.onmessage = resolve; worker.onerror = reject })
    worker.postMessage(shared)
    await done
    return [crossOriginIsolated, Atomics.load(shared, 0)]
  })
  assert.deepEqual(found, [true, 42])
})

test('without --isolate there is no shared memory', { directory: threads }, async ({ page, url }) => {
  await page.goto(url)
  assert.deepEqual(await page.evaluate(() => [crossOriginIsolated, typeof SharedArrayBuffer]), [false, 'undefined'])
})

/// Of the password `upstream`.
export const hash = execFileSync(program, ['hash'], { input: 'upstream\n' }).toString().trim()

test('with --auth only who knows the password is let in', { directory: page, flags: ['--auth', `ada:${hash}`] }, async ({ page, url, browser }) => {
  assert.equal((await page.request.get(url)).status(), 401)
  // Without a person to ask, the browser gives up.
  await assert.rejects(page.goto(url), /ERR_INVALID_AUTH_CREDENTIALS/)
  for (const [password, title] of [['upstream', 'page'], ['downstream', '401 Unauthorized']]) {
    const context = await browser.newContext({ httpCredentials: { username: 'ada', password } })
    const known = await context.newPage()
    await known.goto(url)
    assert.equal(await known.title(), title)
    await context.close()
  }
})
