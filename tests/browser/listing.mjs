// Listings: sorted, filtered, by keyboard, on a phone.
import assert from 'node:assert/strict'
import { mkdirSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { site, test } from './harness.mjs'

const LONG = 'a-name-that-is-long-enough-to-fill-more-than-a-line-of-a-phone-and-has-no-blank-to-break-at.tar.gz'

/// A directory with files of all kinds, and their days in November.
export function listed() {
  const files = {
    'README.md': ['# Upstream\n\nNotes and figures of the run, by year.\n', 1],
    'run 2.csv': ['x'.repeat(2_345), 7],
    'run 10.csv': ['x'.repeat(1_234_567), 3],
    'ladder.webp': ['x'.repeat(45_600), 5],
    'river.mp3': ['x'.repeat(345_678), 2],
    'naïve café & more #1.txt': ['x', 9],
    'שלום.txt': ['x'.repeat(12), 8],
    [LONG]: ['x'.repeat(999), 6],
    'long.wav': ['x'.repeat(4_800_044), 4],
  }
  const directory = site(Object.fromEntries(Object.entries(files).map(([name, [content]]) => [name, content])))
  for (const name of ['pictures/salmon', 'talks']) mkdirSync(join(directory, name), { recursive: true })
  const days = [...Object.entries(files).map(([name, [, day]]) => [name, day]), ['pictures', 11], ['talks', 11]]
  for (const [name, day] of days) utimesSync(join(directory, name), 0, Date.UTC(2026, 10, day, 8, 30) / 1000)
  return directory
}

const names = (page) => page.locator('tbody tr:visible td:first-child').allTextContents()

test('a listing is sorted by its links and filtered as one types', { directory: listed }, async ({ page, url }) => {
  await page.goto(url)
  assert.deepEqual((await names(page)).slice(0, 4), ['pictures/', 'talks/', LONG, 'ladder.webp'])
  await page.getByRole('link', { name: 'Size' }).click()
  await page.getByRole('link', { name: 'Size' }).click()
  assert.match(page.url(), /\?sort=size&order=desc$/)
  assert.deepEqual((await names(page)).slice(2, 4), ['long.wav', 'run 10.csv'])
  assert.equal(await page.getByRole('columnheader', { name: 'Size' }).getAttribute('aria-sort'), 'descending')
  await page.getByRole('searchbox').fill('RUN')
  assert.deepEqual(await names(page), ['run 10.csv', 'run 2.csv'])
  assert.equal(await page.getByRole('status').textContent(), '2 of 11')
  await page.getByRole('searchbox').fill('')
  assert.equal(await page.getByRole('status').textContent(), '2 directories, 9 files, 6.4 MB')
  await page.getByRole('searchbox').fill('RUN')
  await page.getByRole('searchbox').press('Enter')
  await page.waitForURL(/\?q=RUN$/)
  assert.deepEqual(await names(page), ['run 2.csv', 'run 10.csv'])
})

test('times are local where scripts run, and UTC where they do not', { directory: listed }, async ({ page, url, browser }) => {
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
})

test('a keyboard and a screen reader find their way on a phone too', { directory: listed }, async ({ page, url }) => {
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
})
