// Pages: errors and the way home, the site's own, media that are sought, the demo page.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { repository, site, test } from './harness.mjs'

// A second of silence for each second asked: 8 kHz, 8 bits, one channel.
function wav(seconds) {
  const bytes = 8000 * seconds
  const head = Buffer.alloc(44)
  head.write('RIFF', 0); head.writeUInt32LE(36 + bytes, 4); head.write('WAVEfmt ', 8); head.writeUInt32LE(16, 16)
  head.writeUInt16LE(1, 20); head.writeUInt16LE(1, 22); head.writeUInt32LE(8000, 24); head.writeUInt32LE(8000, 28)
  head.writeUInt16LE(1, 32); head.writeUInt16LE(8, 34); head.write('data', 36); head.writeUInt32LE(bytes, 40)
  return Buffer.concat([head, Buffer.alloc(bytes, 128)])
}

const media = () => site({
  'long.wav': wav(600),
  'player.html': '<!doctype html><title>player</title><video src="long.wav" preload="metadata" controls></video>',
})

test('a video player seeks by ranges', { directory: media }, async ({ page, url }) => {
  const ranges = []
  page.on('response', (response) => response.url().endsWith('.wav') && ranges.push(response.status()))
  await page.goto(`${url}player.html`)
  const at = await page.evaluate(async () => {
    const video = document.querySelector('video')
    if (video.readyState < 1) await new Promise((done) => video.addEventListener('loadedmetadata', done, { once: true }))
    const sought = new Promise((done) => video.addEventListener('seeked', done, { once: true }))
    video.currentTime = 550
    await sought
    return [video.duration, video.currentTime]
  })
  assert.deepEqual(at, [600, 550])
  assert.ok(ranges.length > 0 && ranges.every((status) => status === 206), String(ranges))
})

for (const flags of [[], ['--base', '/repo/']]) {
  test(`an error says what it is and leads home ${flags.join(' ')}`, { directory: () => site({ 'js/app.js': '' }), flags }, async ({ page, url }) => {
    const response = await page.goto(`${url}js/App.js`)
    assert.equal(response.status(), 404)
    assert.match(await page.getByRole('heading', { level: 1 }).textContent(), /404/)
    assert.equal(await page.locator('code').textContent(), new URL('js/app.js', url).pathname)
    assert.equal((await page.request.get(new URL(await page.locator('p a').getAttribute('href'), url).href)).status(), 200)
    await page.getByRole('link', { name: 'Home' }).click()
    assert.equal(page.url(), url)
  })
}

const own = () => site({
  '404.html': '<!doctype html><title>lost</title><h1>Lost at sea</h1>',
  'docs/404.html': '<!doctype html><title>docs</title><h1>No such chapter</h1>',
})

test('the nearest page of the site itself says that something is missing', { directory: own }, async ({ page, url }) => {
  for (const [path, words] of [['none', 'Lost at sea'], ['docs/none/at/all', 'No such chapter']]) {
    assert.equal((await page.goto(url + path)).status(), 404)
    assert.equal(await page.getByRole('heading').textContent(), words)
  }
})

const demo = join(repository, 'public')

for (const flags of [[], ['--base', '/repo/']]) {
  test(`the demo shows what is said ${flags.join(' ')}`, { directory: demo, flags }, async ({ page, url }) => {
    const { pathname } = new URL(url)
    await page.goto(url)
    await page.locator('#asked', { hasText: `GET ${pathname}echo HTTP/1.1` }).waitFor()
    await page.locator('#answered', { hasText: 'HTTP/1.1 200' }).waitFor()
    await page.getByRole('link', { name: 'Echo' }).click()
    await page.getByRole('button', { name: 'Send' }).click()
    await page.locator('#said', { hasText: 'Upstream and back.' }).waitFor()
    await page.getByRole('link', { name: 'Try' }).click()
    for (const [name, status] of [['Bytes 10–29 of a file', 206], ['Its last', 206], ['Bytes past its end', 416], ['“Has it changed?”', 304],
      ['Only the head', 200], ['A page that is not there', 404], ['Delete this page', 405]]) {
      await page.getByRole('button', { name }).click()
      await page.locator('#tried', { hasText: `HTTP/1.1 ${status}` }).waitFor()
      assert.equal(await page.getByRole('button', { pressed: true }).count(), 1)
    }
    await page.getByRole('link', { name: 'By hand' }).click()
    await page.getByRole('button', { name: 'Ask' }).click()
    await page.locator('#heard', { hasText: `GET ${pathname} HTTP/1.1` }).filter({ hasText: 'HTTP/1.1 200' }).waitFor()
    await page.getByRole('link', { name: 'Terminal' }).click()
    await page.getByText(`curl -v ${url}`).waitFor()
  })
}

test('without a script the demo asks and is answered', { directory: demo }, async ({ browser, url }) => {
  const context = await browser.newContext({ javaScriptEnabled: false })
  const plain = await context.newPage()
  await plain.goto(url)
  await plain.locator('#answered').getByRole('link').click()
  assert.match(await plain.locator('body').textContent(), /^GET \/echo HTTP\/1\.1/)
  await plain.goto(`${url}hand.html`)
  await plain.getByRole('button', { name: 'Ask' }).click()
  const { exchanges: [{ request, answer }] } = JSON.parse(await plain.locator('body').textContent())
  assert.equal(request, 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
  assert.match(answer, /^HTTP\/1\.1 200 OK\r\n/)
  await plain.goto(`${url}echo.html`)
  await plain.getByRole('button', { name: 'Send' }).click()
  assert.match(await plain.locator('body').textContent(), /Upstream and back\./)
  await plain.goto(`${url}try.html`)
  assert.equal(await plain.getByRole('button').count(), 0)
  await context.close()
})
