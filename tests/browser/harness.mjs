// What every test here is made of: a directory, the program that serves it, and a page of headless Chromium.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { chromium } from 'playwright-core'

export const repository = new URL('../..', import.meta.url).pathname
export const program = process.argv[2] ?? join(process.env.CARGO_TARGET_DIR ?? join(repository, 'target'), 'release/sockeye')
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync']
const work = mkdtempSync(join(tmpdir(), 'sockeye-browser-'))
const tests = []

/// A directory with these files.
export function site(files) {
  const directory = mkdtempSync(join(work, 'site-'))
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true })
    writeFileSync(join(directory, name), content)
  }
  return directory
}

/// Serves `directory` until `stop` is called.
export async function serve(directory, flags = []) {
  const server = spawn(program, [directory, '--port', '0', '--quiet', ...flags], { stdio: ['ignore', 'pipe', 'ignore'] })
  const [url] = await once(createInterface(server.stdout), 'line')
  const stop = async () => {
    if (server.exitCode !== null || server.signalCode !== null) return
    const ended = once(server, 'exit')
    server.kill()
    await ended
  }
  return { url, stop }
}

/// A test of `directory`, which may be a function that makes it, as it is served with `flags`. A page complains of nothing
/// but what `complains` matches, and of an icon that it has not named.
export function test(name, { directory, flags = [], complains = /status of 4\d\d/ }, body) {
  tests.push({ name, directory, flags, complains, body })
}

async function run({ name, directory, flags, complains, body }, browser) {
  const complaints = []
  const note = (text, url = '') => complains.test(text) || url.endsWith('/favicon.ico') || complaints.push(text)
  const context = await browser.newContext({ timezoneId: 'America/Lima' })
  context.setDefaultTimeout(10_000)
  let server
  try {
    server = await serve(typeof directory === 'function' ? await directory() : directory, flags)
    const page = await context.newPage()
    page.on('console', (message) => message.type() === 'error' && note(message.text(), message.location().url))
    page.on('pageerror', (error) => note(error.message))
    await body({ page, url: server.url, browser, server })
    assert.deepEqual(complaints, [])
    console.log(`ok      ${name}`)
    return true
  } catch (error) {
    console.log(`FAILED  ${name}\n${error.stack}`)
    return false
  } finally {
    await context.close()
    await server?.stop()
  }
}

/// Runs all tests, then `more`; whether all went well.
export async function runAll(more) {
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', headless: true, args: FLAGS })
  try {
    let failures = 0
    for (const each of tests) failures += (await run(each, browser)) ? 0 : 1
    await more(browser)
    return failures === 0
  } finally {
    await browser.close()
    rmSync(work, { recursive: true })
  }
}
