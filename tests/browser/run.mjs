// What a browser makes of it: headless Chromium asks the built program, and looks at what it is shown.
//
//   node tests/browser/run.mjs [PROGRAM]        default: target/release/sockeye
//
// CHROMIUM names the browser (default /usr/bin/chromium), SCREENSHOTS a directory for pictures of every page.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import './demo_request.mjs'
import { repository, runAll, serve, site } from './harness.mjs'
import { listed } from './listing.mjs'
import './applications.mjs'
import './origins.mjs'
import './pages.mjs'

// Every page is looked at in both schemes and narrow.
const LOOKS = { light: {}, dark: { colorScheme: 'dark' }, narrow: { viewport: { width: 360, height: 740 } } }

// `act` does something on the page before the picture is taken.
async function picture(browser, url, name, act = () => {}) {
  for (const [look, options] of Object.entries(LOOKS)) {
    const context = await browser.newContext({ viewport: { width: 1000, height: 640 }, timezoneId: 'America/Lima', ...options })
    const page = await context.newPage()
    await page.goto(url, { waitUntil: 'networkidle' })
    await act(page)
    await page.screenshot({ path: join(process.env.SCREENSHOTS, `${name}-${look}.png`) })
    await context.close()
  }
}

async function pictures(browser) {
  if (!process.env.SCREENSHOTS) return
  mkdirSync(process.env.SCREENSHOTS, { recursive: true })
  const servers = [await serve(listed()), await serve(join(repository, 'public')), await serve(site({ 'js/app.js': '' }))]
  const [own, shown, letters] = servers.map(({ url }) => url)
  await picture(browser, own, 'listing')
  await picture(browser, `${own}?sort=mtime&order=desc`, 'sorted')
  await picture(browser, `${own}talks/`, 'empty')
  await picture(browser, `${own}no/such/page`, 'error')
  await picture(browser, `${letters}js/App.js`, 'explained')
  await picture(browser, shown, 'demo')
  await picture(browser, shown, 'hand', async (page) => {
    await page.locator('#example').selectOption('bytes 10–29 of a file')
    await page.locator('#write button').first().click()
    await page.getByText('206 Partial Content').first().waitFor()
    await page.locator('#hand').evaluate((heading) => heading.scrollIntoView())
  })
  for (const { stop } of servers) await stop()
}

process.exit((await runAll(pictures)) ? 0 : 1)
