// What every page owes to those who see it little or not at all, or have a finger instead of a mouse: headings in order,
// landmarks, names for what is operated, contrast (WCAG 2.2 AA), targets that are large enough, and room on a phone.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { repository, site, test } from './harness.mjs'
import { listed } from './listing.mjs'

// What a page gets wrong, in the page's own words.
function complaints() {
  const found = []
  const shown = [...document.body.querySelectorAll('*')].filter((element) => element.checkVisibility() && !element.closest('script'))
  const told = (element) => `${element.localName} ${JSON.stringify(element.textContent.trim().slice(0, 30))}`

  if (document.documentElement.lang !== 'en') found.push('no language')
  if (!document.title) found.push('no title')
  for (const one of ['main', 'h1']) if (document.querySelectorAll(one).length !== 1) found.push(`not one ${one}`)
  let level = 0
  for (const heading of document.querySelectorAll('h1,h2,h3')) {
    const next = Number(heading.localName[1])
    if (next > level + 1) found.push(`${told(heading)} behind level ${level}`)
    level = next
  }
  for (const header of document.querySelectorAll('th')) if (header.scope !== 'col') found.push(`${told(header)} has no scope`)
  if (document.querySelector('img:not([alt])')) found.push('a picture has no words')
  if (document.documentElement.scrollWidth > innerWidth) found.push(`${document.documentElement.scrollWidth} pixels wide`)

  // Contrast: the text's colour against the nearest background behind it.
  const brightness = (colour) => {
    const [r, g, b] = colour.match(/[\d.]+/g).slice(0, 3).map((part) => part / 255).map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const behind = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const { backgroundColor } = getComputedStyle(each)
      if (!/, 0\)$/.test(backgroundColor)) return backgroundColor
    }
    return 'rgb(255, 255, 255)'
  }
  const contrast = (element, colour) => {
    const [dark, light] = [brightness(colour), brightness(behind(element))].sort((a, b) => a - b)
    return (light + 0.05) / (dark + 0.05)
  }
  const compare = (element, colours, least, what) => {
    const ratio = Math.max(...colours.map((colour) => contrast(element, colour)))
    if (ratio < least) found.push(`${what} of ${told(element)}: contrast ${ratio.toFixed(2)}`)
  }
  for (const element of shown) {
    const style = getComputedStyle(element)
    if ([...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim())) compare(element, [style.color], 4.5, 'text')
    if (element.matches('input')) compare(element, [getComputedStyle(element, '::placeholder').color], 4.5, 'placeholder')
    if (element.matches('input, textarea, select, button')) {
      compare(element.parentElement, [style.borderTopColor, style.backgroundColor], 3, `edge of ${element.localName} in`)
    }
    if (Number(style.opacity) < 1) found.push(`${told(element)} is translucent`)
  }

  // Targets: 24 pixels, or as far from others (2.5.8); links in a sentence are as high as its lines.
  const targets = shown.filter((element) => element.matches('a, button, select, input, textarea') && !element.closest('p, pre, ul'))
  const boxes = targets.map((element) => element.getBoundingClientRect())
  boxes.forEach((box, at) => {
    if (box.width >= 24 && box.height >= 24) return
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2]
    const near = boxes.some((other, index) => index !== at
      && Math.hypot(x - Math.max(other.left, Math.min(x, other.right)), y - Math.max(other.top, Math.min(y, other.bottom))) < 12)
    if (near) found.push(`${told(targets[at])} is a target of ${Math.round(box.width)} by ${Math.round(box.height)} pixels`)
  })
  return found
}

// Whether the keyboard reaches everything, and shows where it is.
async function focusIsSeen(page) {
  const count = await page.locator('a:visible, button:visible, select:visible, input:visible, textarea:visible').count()
  const seen = new Set()
  for (let step = 0; step < count; step += 1) {
    await page.keyboard.press('Tab')
    const [id, outline] = await page.evaluate(() => {
      const { activeElement } = document
      const all = [...document.querySelectorAll('a, button, select, input, textarea')]
      return [all.indexOf(activeElement), getComputedStyle(activeElement).outlineStyle + getComputedStyle(activeElement).outlineWidth]
    })
    assert.equal(outline, 'solid3px')
    seen.add(id)
  }
  assert.equal(seen.size, count, 'the keyboard reaches everything')
}

const LOOKS = [{}, { colorScheme: 'dark' }, { viewport: { width: 360, height: 740 } }, { viewport: { width: 320, height: 568 }, colorScheme: 'dark' }]

async function lookedAt(browser, url, act = () => {}) {
  for (const look of LOOKS) {
    const context = await browser.newContext(look)
    const page = await context.newPage()
    await page.goto(url, { waitUntil: 'networkidle' })
    await focusIsSeen(page)
    await act(page)
    const where = `${url} ${JSON.stringify(look)}`
    assert.deepEqual(await page.evaluate(complaints), [], where)
    // What has no name is nothing to who cannot see it.
    const tree = await page.locator('body').ariaSnapshot()
    assert.doesNotMatch(tree, /- (link|button|textbox|searchbox|combobox|img)(:|\n|$)/m, `${where}\n${tree}`)
    await context.close()
  }
}

test('a listing is for everybody', { directory: listed }, async ({ browser, url }) => {
  for (const path of ['', '?sort=size&order=desc', '?q=nothing', 'pictures/', 'talks/']) await lookedAt(browser, url + path)
})

test('a page about an error is for everybody', { directory: () => site({ 'js/app.js': '' }) }, async ({ browser, url }) => {
  for (const path of ['none', 'js/App.js']) await lookedAt(browser, url + path)
})

test('the demo is for everybody', { directory: join(repository, 'public') }, async ({ browser, url }) => {
  const pressed = (name, place) => async (page) => {
    await page.getByRole('button', { name }).click()
    await page.locator(place, { hasText: 'HTTP/1.1 2' }).waitFor()
  }
  await lookedAt(browser, url)
  await lookedAt(browser, `${url}hand.html`, pressed('Ask', '#heard'))
  await lookedAt(browser, `${url}echo.html`, pressed('Send', '#said'))
  await lookedAt(browser, `${url}try.html`, pressed('Its last', '#tried'))
  await lookedAt(browser, `${url}terminal.html`)
})
