// Requests that no link makes.
import { NO_ANSWER, at, exchange, head, piece } from './wire.js'

const FILE = 'files/upstream/run.txt'
const ranged = (range) => [FILE, { headers: { Range: `bytes=${range}` } }]
// Each with the status that it leads to.
const TRIES = {
  'Bytes 10–29 of a file → 206': () => ranged('10-29'),
  'Its last 30 bytes → 206': () => ranged('-30'),
  'Bytes past its end → 416': () => ranged('99999-'),
  '“Has it changed?” → 304': async () => {
    const now = await fetch(FILE, { cache: 'no-store', method: 'HEAD' })
    return [FILE, { headers: { 'If-None-Match': now.headers.get('ETag') ?? '"none"' } }]
  },
  'Only the head, please → 200': () => [FILE, { method: 'HEAD' }],
  'A page that is not there → 404': () => ['no-such-page', {}],
  'Delete this page → 405': () => ['index.html', { method: 'DELETE' }],
}

const buttons = Object.entries(TRIES).map(([name, request]) => {
  const button = document.createElement('button')
  button.append(name)
  button.addEventListener('click', async () => {
    for (const other of buttons) other.ariaPressed = String(other === button)
    try {
      const [url, options] = await request()
      const fields = Object.entries(options.headers ?? {}).map(([name, value]) => `${name}: ${value}`)
      const first = `${options.method ?? 'GET'} ${new URL(url, location).pathname} HTTP/1.1`
      await exchange(at('tried'), url, options, piece('asked', ...head([first, ...fields].join('\n'))))
    } catch {
      at('tried').textContent = NO_ANSWER
    }
  })
  return button
})
at('tries').append(...buttons)
