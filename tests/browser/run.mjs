// What a browser makes of it: headless Chromium asks the built program, and looks at what it is shown.
//
//   node tests/browser/run.mjs [PROGRAM]        default: target/release/sockeye
//
// CHROMIUM names the browser (default /usr/bin/chromium), SCREENSHOTS a directory for pictures of every page.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { chromium } from 'playwright-core'
import { demoRequest } from './demo_request.mjs'

const repository = new URL('../..', import.meta.url).pathname
const program = process.argv[2] ?? join(process.env.CARGO_TARGET_DIR ?? join(repository, 'target'), 'release/sockeye')
const screenshots = process.env.SCREENSHOTS
const work = mkdtempSync(join(tmpdir(), 'sockeye-browser-'))
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync']

// A second of silence for each second asked: 8 kHz, 8 bits, one channel.
function wav(seconds) {
  const bytes = 8000 * seconds
  const head = Buffer.alloc(44)
  head.write('RIFF', 0); head.writeUInt32LE(36 + bytes, 4); head.write('WAVEfmt ', 8); head.writeUInt32LE(16, 16)
  head.writeUInt16LE(1, 20); head.writeUInt16LE(1, 22); head.writeUInt32LE(8000, 24); head.writeUInt32LE(8000, 28)
  head.writeUInt16LE(1, 32); head.writeUInt16LE(8, 34); head.write('data', 36); head.writeUInt32LE(bytes, 40)
  return Buffer.concat([head, Buffer.alloc(bytes, 128)])
}

function site() {
  const directory = join(work, 'site')
  mkdirSync(join(directory, 'pictures/salmon'), { recursive: true })
  mkdirSync(join(directory, 'talks'))
  const write = (name, content, day) => {
    writeFileSync(join(directory, name), content)
    utimesSync(join(directory, name), 0, Date.UTC(2026, 10, day, 8, 30) / 1000)
  }
  write('README.md', '# Upstream\n\nNotes and figures of the run, by year.\n', 1)
  write('run 2.csv', 'x'.repeat(2_345), 7)
  write('run 10.csv', 'x'.repeat(1_234_567), 3)
  write('ladder.webp', 'x'.repeat(45_600), 5)
  write('river.mp3', 'x'.repeat(345_678), 2)
  write('naïve café & more #1.txt', 'x', 9)
  write('שלום.txt', 'x'.repeat(12), 8)
  write('a-name-that-is-long-enough-to-fill-more-than-a-line-of-a-phone-and-has-no-blank-to-break-at.tar.gz', 'x'.repeat(999), 6)
  write('long.wav', wav(600), 4)
  write('player.html', '<!doctype html><title>player</title><audio src="long.wav" preload="metadata"></audio>', 4)
  for (const name of ['pictures', 'talks']) utimesSync(join(directory, name), 0, Date.UTC(2026, 10, 11, 8, 30) / 1000)
  return directory
}

async function serve(directory) {
  const server = spawn(program, [directory, '--port', '0', '--quiet'], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [url] = await once(createInterface(server.stdout), 'line')
  return { server, url }
}

// Every page is looked at in both schemes and narrow, and complains of nothing.
const LOOKS = { light: {}, dark: { colorScheme: 'dark' }, narrow: { viewport: { width: 360, height: 740 } } }

async function picture(browser, url, name) {
  if (!screenshots) return
  for (const [look, options] of Object.entries(LOOKS)) {
    const context = await browser.newContext({ viewport: { width: 1000, height: 640 }, timezoneId: 'America/Lima', ...options })
    const page = await context.newPage()
    await page.goto(url)
    await page.screenshot({ path: join(screenshots, `${name}-${look}.png`) })
    await context.close()
  }
}

const names = (page) => page.locator('tbody tr:visible td:first-child').allTextContents()

const CASES = {
  async 'a listing is sorted by its links and filtered as one types'(page, url) {
    await page.goto(url)
    assert.deepEqual((await names(page)).slice(0, 4), ['pictures/', 'talks/', 'a-name-that-is-long-enough-to-fill-more-than-a-line-of-a-phone-and-has-no-blank-to-break-at.tar.gz', 'ladder.webp'])
    await page.getByRole('link', { name: 'Size' }).click()
    await page.getByRole('link', { name: 'Size' }).click()
    assert.match(page.url(), /\?sort=size&order=desc$/)
    assert.deepEqual((await names(page)).slice(2, 4), ['long.wav', 'run 10.csv'])
    assert.equal(await page.getByRole('columnheader', { name: 'Size' }).getAttribute('aria-sort'), 'descending')
    await page.getByRole('searchbox').fill('RUN')
    assert.deepEqual(await names(page), ['run 10.csv', 'run 2.csv'])
    await page.getByRole('searchbox').press('Enter')
    await page.waitForURL(/\?q=RUN$/)
    assert.deepEqual(await names(page), ['run 2.csv', 'run 10.csv'])
  },
  async 'times are local where scripts run, and UTC where they do not'(page, url, browser) {
    await page.goto(url)
    assert.equal(await page.getByRole('row', { name: /run 2/ }).locator('time').textContent(), '2026-11-07 03:30')
    const context = await browser.newContext({ javaScriptEnabled: false })
    const plain = await context.newPage()
    await plain.goto(url)
    assert.equal(await plain.getByRole('row', { name: /run 2/ }).locator('time').textContent(), '2026-11-07 08:30')
    assert.ok(await plain.getByText('Modified (UTC)').isVisible())
    await plain.getByRole('searchbox').fill('cafe')
    await plain.getByRole('searchbox').fill('café')
    await plain.getByRole('searchbox').press('Enter')
    await plain.waitForURL(/q=/)
    assert.deepEqual(await names(plain), ['naïve café & more #1.txt'])
    await context.close()
  },
  async 'a keyboard and a screen reader find their way on a phone too'(page, url) {
    await page.setViewportSize({ width: 360, height: 740 })
    await page.goto(`${url}pictures/`)
    for (const [role, name] of [['navigation', 'Path'], ['searchbox', 'Filter names'], ['main', ''], ['table', '']]) {
      assert.equal(await page.getByRole(role, name ? { name } : {}).count(), 1, role)
    }
    assert.equal(await page.getByRole('cell', { name: 'salmon/' }).count(), 1)
    const width = await page.evaluate(() => document.documentElement.scrollWidth)
    assert.ok(width <= 360, `${width} pixels wide`)
    await page.getByRole('link', { name: '../' }).focus()
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await page.waitForURL(/pictures\/salmon\/$/)
    await page.getByRole('navigation').getByRole('link', { name: 'pictures/' }).click()
    await page.waitForURL(/pictures\/$/)
  },
  async 'an audio file is sought by ranges'(page, url) {
    const ranges = []
    page.on('response', (response) => response.url().endsWith('.wav') && ranges.push(response.status()))
    await page.goto(`${url}player.html`)
    const at = await page.evaluate(async () => {
      const audio = document.querySelector('audio')
      if (audio.readyState < 1) await new Promise((done) => audio.addEventListener('loadedmetadata', done, { once: true }))
      const sought = new Promise((done) => audio.addEventListener('seeked', done, { once: true }))
      audio.currentTime = 550
      await sought
      return [audio.duration, audio.currentTime]
    })
    assert.deepEqual(at, [600, 550])
    assert.ok(ranges.length > 0 && ranges.every((status) => status === 206), String(ranges))
  },
  async 'an error says what it is and leads home'(page, url) {
    const response = await page.goto(`${url}no/such/page`)
    assert.equal(response.status(), 404)
    assert.match(await page.getByRole('heading', { level: 1 }).textContent(), /404/)
    await page.getByRole('link', { name: 'Home' }).click()
    assert.equal(page.url(), url)
  },
}

async function demo(page, url) {
  await page.goto(url)
  await page.locator('#asked', { hasText: 'GET /echo HTTP/1.1' }).waitFor()
  await page.getByRole('button', { name: 'Send' }).click()
  await page.locator('#said', { hasText: 'HTTP/1.1 200' }).waitFor()
  for (const [name, status] of [['Bytes 10–29 of a file', 206], ['Bytes past its end', 416], ['“Has it changed?”', 304], ['Delete this page', 405]]) {
    await page.getByRole('button', { name }).click()
    await page.locator('#tried', { hasText: `HTTP/1.1 ${status}` }).waitFor()
  }
}

if (screenshots) mkdirSync(screenshots, { recursive: true })
const servers = [await serve(site()), await serve(join(repository, 'public'))]
const [own, shown] = servers.map(({ url }) => url)
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', headless: true, args: FLAGS })
let failures = 0
async function run(name, url, test) {
  const context = await browser.newContext({ timezoneId: 'America/Lima' })
  context.setDefaultTimeout(10_000)
  const page = await context.newPage()
  const complaints = []
  // That an error is an error is no complaint.
  page.on('console', (message) => message.type() === 'error' && !/status of 4/.test(message.text()) && complaints.push(message.text()))
  page.on('pageerror', (error) => complaints.push(error.message))
  try {
    await test(page, url, browser)
    assert.deepEqual(complaints, [])
    console.log(`ok      ${name}`)
  } catch (error) {
    failures += 1
    console.log(`FAILED  ${name}\n${error.stack}`)
  }
  await context.close()
}
try {
  for (const [name, test] of Object.entries(CASES)) await run(name, own, test)
  await run('the demo page shows what is said', shown, demo)
  await run('a request that is written by hand is read and answered byte by byte', shown, demoRequest)
  await picture(browser, own, 'listing')
  await picture(browser, `${own}?sort=mtime&order=desc`, 'sorted')
  await picture(browser, `${own}no/such/page`, 'error')
  await picture(browser, shown, 'demo')
} finally {
  await browser.close()
  for (const { server } of servers) server.kill()
  rmSync(work, { recursive: true })
}
process.exit(failures === 0 ? 0 : 1)
