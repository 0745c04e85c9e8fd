// Applications: one page for many paths, a service worker, and what Vite builds.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'vite'
import { site, test } from './harness.mjs'

const router = () => site({
  'index.html': `<!doctype html><title>app</title><a href="/users/7">Ada</a><h1></h1><script src="/app.js"></script>`,
  'app.js': `const show = () => { document.querySelector('h1').textContent = location.pathname }
    document.querySelector('a').addEventListener('click', (event) => {
      event.preventDefault()
      history.pushState(null, '', event.target.href)
      show()
    })
    addEventListener('popstate', show)
    show()`,
})

test('with --spa every path is the application, also when it is loaded again', { directory: router, flags: ['--spa'] }, async ({ page, url }) => {
  const shown = () => page.getByRole('heading').textContent()
  await page.goto(url)
  await page.getByRole('link').click()
  assert.equal(await shown(), '/users/7')
  const again = await page.reload()
  assert.deepEqual([again.status(), again.headers()['cache-control'], await shown()], [200, 'no-cache', '/users/7'])
  await page.goBack()
  assert.equal(await shown(), '/')
  const missing = await page.evaluate(() => fetch('/missing.js').then((response) => response.status))
  assert.equal(missing, 404)
})

const worker = (version) => `
  addEventListener('install', (event) => event.waitUntil(caches.open('${version}').then((cache) => cache.addAll(['/', '/app.js'])).then(() => skipWaiting())))
  addEventListener('activate', (event) => event.waitUntil(clients.claim()))
  addEventListener('message', (event) => event.source.postMessage('${version}'))
  addEventListener('fetch', (event) => event.respondWith(caches.match(event.request).then((kept) => kept ?? fetch(event.request))))`

let offline
const cached = () => (offline = site({
  'index.html': '<!doctype html><title>offline</title><h1></h1><script src="/app.js"></script>',
  'app.js': `document.querySelector('h1').textContent = 'here'
    navigator.serviceWorker.register('/worker.js')
    window.version = () => new Promise((told) => {
      navigator.serviceWorker.onmessage = ({ data }) => told(data)
      navigator.serviceWorker.controller.postMessage('version')
    })`,
  'worker.js': worker('one'),
}))

test('a service worker is installed, replaced by a newer one, and stands in for the server', { directory: cached }, async ({ page, url, server }) => {
  const controlled = () => page.waitForFunction(() => navigator.serviceWorker.controller?.state === 'activated')
  await page.goto(url)
  await controlled()
  assert.equal(await page.evaluate(() => version()), 'one')
  writeFileSync(join(offline, 'worker.js'), worker('two'))
  await page.evaluate(async () => {
    const registration = await navigator.serviceWorker.ready
    const changed = new Promise((done) => navigator.serviceWorker.addEventListener('controllerchange', done, { once: true }))
    await registration.update()
    await changed
  })
  assert.equal(await page.evaluate(() => version()), 'two')
  await server.stop()
  await page.reload()
  assert.equal(await page.getByRole('heading').textContent(), 'here')
})

/// What Vite makes of `vite/` for a site that lives under `base`.
async function built(base) {
  const outDir = site({})
  const root = new URL('vite', import.meta.url).pathname
  await build({ root, base, configFile: false, logLevel: 'error', build: { outDir, target: 'esnext', assetsInlineLimit: 0 } })
  return outDir
}

for (const base of ['/', '/repo/']) {
  const flags = ['--spa', '--cache', 'auto', ...(base === '/' ? [] : ['--base', base])]
  test(`what Vite builds is served at ${base} without a complaint`, { directory: () => built(base), flags, complains: /^$/ }, async ({ page, url }) => {
    const kept = {}
    page.on('response', (response) => { kept[new URL(response.url()).pathname] = [response.status(), response.headers()['cache-control']] })
    await page.goto(`${url}deep/link`)
    await page.getByText('salmon: loaded later').waitFor()
    assert.equal(await page.locator('img').evaluate((image) => image.naturalWidth > 0), true)
    const assets = Object.entries(kept).filter(([path]) => path.startsWith(`${base}assets/`))
    assert.ok(assets.length >= 4, JSON.stringify(kept))
    for (const [path, found] of assets) assert.deepEqual(found, [200, 'public, max-age=31536000, immutable'], path)
    assert.deepEqual(kept[`${base}deep/link`], [200, 'no-cache'])
  })
}
