// What a browser makes of it: headless Chromium asks the built program, and looks at what it is shown.
//
//   node tests/browser/run.mjs [PROGRAM]        default: target/release/sockeye
//
// CHROMIUM names the browser (default /usr/bin/chromium), SCREENSHOTS a directory for pictures of every page.
import { spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import './demo_request.mjs'
import { program, repository, runAll, serve, site } from './harness.mjs'
import { listed } from './listing.mjs'
import { hash } from './origins.mjs'
import './applications.mjs'
import './looks.mjs'
import './pages.mjs'

// Every page is looked at in both schemes and narrow.
const LOOKS = { light: {}, dark: { colorScheme: 'dark' }, narrow: { viewport: { width: 360, height: 740 } } }

// What a 404 explains: what is there, what is asked for, and the flags.
const HINTS = {
  case: ['js/app.js', 'js/App.js'],
  clean: ['about.html', 'about'],
  hidden: ['.env', '.env'],
  elsewhere: ['deep/down/logo.svg', 'logo.svg'],
  slash: ['a.txt', 'a.txt/'],
  index: ['a/b.txt', 'a/', '--no-listing'],
  base: ['a.txt', '../a.txt', '--base', '/repo/'],
}

// `act` does something on the page before the picture is taken.
async function picture(browser, url, name, act = () => {}, more = {}) {
  for (const [look, options] of Object.entries(LOOKS)) {
    const context = await browser.newContext({ viewport: { width: 1000, height: 640 }, timezoneId: 'America/Lima', ...options, ...more })
    const page = await context.newPage()
    await page.goto(url, { waitUntil: 'networkidle' })
    await act(page)
    await page.screenshot({ path: join(process.env.SCREENSHOTS, `${name}-${look}.png`) })
    await context.close()
  }
}

// What a terminal shows at the start.
async function greeting(...args) {
  const command = [program, ...args, '--port', '0'].map((word) => `'${word}'`).join(' ')
  const terminal = spawn('script', ['-qec', `stty cols 100; exec ${command}`, '/dev/null'], { env: { ...process.env, TERM: 'xterm' } })
  let text = ''
  for await (const piece of terminal.stdout) {
    text += piece
    if (text.includes('Ctrl-C stops')) break
  }
  terminal.kill()
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('\x1b[1m', '<b>').replaceAll('\x1b[0m', '</b>')
}

async function pictures(browser) {
  if (!process.env.SCREENSHOTS) return
  mkdirSync(process.env.SCREENSHOTS, { recursive: true })
  const servers = []
  const served = async (...serving) => {
    servers.push(await serve(...serving))
    return servers.at(-1).url
  }
  const own = await served(listed())
  await picture(browser, own, 'listing')
  await picture(browser, `${own}?sort=mtime&order=desc`, 'sorted')
  await picture(browser, own, 'filtered', (page) => page.getByRole('searchbox').fill('run'))
  await picture(browser, own, 'readme', (page) => page.locator('pre').evaluate((readme) => readme.scrollIntoView()))
  await picture(browser, `${own}talks/`, 'empty')
  await picture(browser, `${own}no/such/page`, 'error')
  for (const [name, [file, asked, ...flags]] of Object.entries(HINTS)) {
    await picture(browser, await served(site({ [file]: '' }), flags) + asked, `hint-${name}`)
  }
  const httpCredentials = { username: 'ada', password: 'downstream' }
  await picture(browser, await served(site({}), ['--auth', `ada:${hash}`]), 'auth', undefined, { httpCredentials })
  const shown = await served(join(repository, 'public'))
  await picture(browser, shown, 'demo', (page) => page.getByText('200 OK').waitFor())
  await picture(browser, `${shown}hand.html`, 'hand', async (page) => {
    await page.getByLabel('Example').selectOption('bytes 10–29 of a file')
    await page.getByRole('button').click()
    await page.getByText('206 Partial Content').first().waitFor()
  })
  await picture(browser, `${shown}echo.html`, 'echo', async (page) => {
    await page.getByRole('button').click()
    await page.getByText('200 OK').waitFor()
  })
  await picture(browser, `${shown}try.html`, 'try', async (page) => {
    await page.getByRole('button').first().click()
    await page.getByText('206 Partial').waitFor()
  })
  await picture(browser, `${shown}terminal.html`, 'terminal')
  const first = await greeting(join(repository, 'public'))
  const second = await greeting(join(repository, 'public'), '--host', '--spa', '--cors')
  const screen = `<style>:root{color-scheme:light dark}pre{font:14px/1.4 monospace}</style><pre>${first}</pre><hr><pre>${second}</pre>`
  await picture(browser, `data:text/html,${encodeURIComponent(screen)}`, 'greeting')
  for (const { stop } of servers) await stop()
}

process.exit((await runAll(pictures)) ? 0 : 1)
