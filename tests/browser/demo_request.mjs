// The demo's field for a request by hand: what is typed, and what the server says to it.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { repository, test } from './harness.mjs'

// What each example leads to, in order of the bytes that travel.
const EXAMPLES = {
  'a page': ['GET / HTTP/1.1', 'HTTP/1.1 200 OK', '<!doctype html>', 'connection kept'],
  'bytes 10–29 of a file': ['HTTP/1.1 206 Partial Content   # one satisfiable range, RFC 9110 §15.3.7'],
  '“has it changed?”': ['HTTP/1.1 304 Not Modified   # If-None-Match names this ETag'],
  'a body': ['Content-Length: 5', 'hello', 'HTTP/1.1 200 OK', 'hello'],
  'a body in chunks': ['HTTP/1.1 200 OK', 'POST /echo?raw HTTP/1.1', '6\nhello \n5\nagain\n0\n\n', 'connection kept'],
  'two requests at once': ['HEAD / HTTP/1.1', 'HTTP/1.1 200 OK', 'GET /echo HTTP/1.1', 'HTTP/1.1 200 OK', 'the client says "close"'],
  'HTTP/1.0': ['HTTP/1.1 200 OK', 'GET /echo HTTP/1.0', 'connection closed: HTTP/1.0 and no "keep-alive"'],
  'a head without an end': ['GET / HTTP/1.1', 'the server waits for the rest of the head'],
  'no Host': ['HTTP/1.1 400 Bad Request   # HTTP/1.1 requires a Host field'],
  'a blank before a colon': ['Host : ', 'HTTP/1.1 400 Bad Request   # a header field is a name, a colon and a value'],
  'two lengths': ['HTTP/1.1 400 Bad Request   # there must be at most one Content-Length field'],
}

test('a request that is written by hand is read and answered byte by byte', { directory: join(repository, 'public') }, async ({ page, url }) => {
  await page.goto(`${url}hand.html`)
  const form = page.locator('#write')
  const heard = page.locator('#heard')
  const send = async (how) => {
    const answered = page.waitForResponse((response) => response.url().includes('/echo/by-hand'))
    await how()
    assert.equal((await answered).status(), 200)
    await heard.filter({ hasNotText: 'Nothing yet.' }).waitFor()
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))))
    return heard.textContent()
  }
  const click = () => form.getByRole('button', { name: 'Ask' }).click()
  assert.deepEqual(await page.getByLabel('Example').locator('option').allTextContents(), Object.keys(EXAMPLES))
  for (const [name, parts] of Object.entries(EXAMPLES)) {
    await page.getByLabel('Example').selectOption(name)
    const text = await send(click)
    let from = 0
    for (const part of parts) {
      const found = text.indexOf(part, from)
      assert.ok(found >= 0, `${name}: ${JSON.stringify(part)} is not behind ${from} in ${JSON.stringify(text)}`)
      from = found + part.length
    }
  }

  // Each part has its own look, in the question and in the answer.
  await page.getByLabel('Example').selectOption('a body')
  await send(click)
  for (const [part, text] of [['first', 'POST /echo HTTP/1.1'], ['name', 'Content-Length:'], ['body', 'hello']]) {
    assert.equal(await heard.locator(`.asked .${part}`, { hasText: text }).count(), 1, part)
  }
  assert.equal(await heard.locator('.asked .empty').count(), 1)
  for (const part of ['first', 'name', 'empty', 'body']) {
    assert.ok(await heard.locator(`:scope > .${part}`).count() > 0, part)
  }
  const colour = (part) => heard.locator(part).first().evaluate((element) => getComputedStyle(element).color)
  assert.notEqual(await colour('.asked .first'), await colour(':scope > .first'))

  // What is typed travels as it is, by the keyboard alone, in UTF-8 and with any line end.
  const bytes = page.getByRole('textbox', { name: 'Request' })
  await bytes.fill('GET /echo HTTP/1.1\nHost: localhost\nX-Fish: 鮭\nx-fish:  <b>&amp;\n\n')
  const typed = await send(() => bytes.press('Control+Enter'))
  assert.match(typed, /X-Fish: 鮭\nx-fish: {2}<b>&amp;\n/)
  await page.getByLabel('Lines end in').selectOption('LF alone')
  const bare = await send(click)
  assert.match(bare, /GET \/echo HTTP\/1\.1 LF\n/)
  assert.match(bare, /400 Bad Request {3}# lines must end in CRLF/)

  // No byte is no request; a blank line is one that never comes.
  const before = await heard.textContent()
  await bytes.fill('')
  await click()
  assert.equal(await heard.textContent(), before)
  await bytes.fill('\n')
  assert.doesNotMatch(await send(click), /undefined|null/)

  // It speaks of the page's own server only.
  await page.getByLabel('Lines end in').selectOption('CR LF')
  await bytes.fill('GET / HTTP/1.1\nHost: example.test\n\n')
  assert.match(await send(click), /421 Misdirected Request/)
  await page.setViewportSize({ width: 360, height: 740 })
  const width = await page.evaluate(() => document.documentElement.scrollWidth)
  assert.ok(width <= 360, `${width} pixels wide`)
})
