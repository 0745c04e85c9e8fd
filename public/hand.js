// A request by hand: what is typed, and what the server says to it.
import { NO_ANSWER, at, body, choice, piece } from './wire.js'

// Requests to begin with. A line's end is chosen when they are sent.
const HOST = `Host: ${location.host}`
const ROOT = new URL('.', location).pathname
const FILE = `${ROOT}files/upstream/run.txt`
const ECHO = `${ROOT}echo`
const EXAMPLES = {
  'a page': `GET ${ROOT} HTTP/1.1\n${HOST}\n\n`,
  'bytes 10–29 of a file': `GET ${FILE} HTTP/1.1\n${HOST}\nRange: bytes=10-29\n\n`,
  '“has it changed?”': `GET ${FILE} HTTP/1.1\n${HOST}\nIf-None-Match: *\n\n`,
  'a body': `POST ${ECHO} HTTP/1.1\n${HOST}\nContent-Type: text/plain\nContent-Length: 5\n\nhello`,
  'a body in chunks': `POST ${ECHO}?raw HTTP/1.1\n${HOST}\nTransfer-Encoding: chunked\n\n6\nhello \n5\nagain\n0\n\n`,
  'two requests at once': `HEAD ${ROOT} HTTP/1.1\n${HOST}\n\nGET ${ECHO} HTTP/1.1\n${HOST}\nConnection: close\n\n`,
  'HTTP/1.0': `GET ${ECHO} HTTP/1.0\n\n`,
  'a head without an end': `GET ${ROOT} HTTP/1.1\n${HOST}\n`,
  'no Host': `GET ${ROOT} HTTP/1.1\n\n`,
  'a blank before a colon': `GET ${ROOT} HTTP/1.1\nHost : ${location.host}\n\n`,
  'two lengths': `POST ${ECHO} HTTP/1.1\n${HOST}\nContent-Length: 5\nContent-Length: 6\n\nhello`,
}

// The server's strings have a character for each byte; text is UTF-8.
const asBytes = (text) => Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join('')
const asText = (bytes) => new TextDecoder().decode(Uint8Array.from(bytes, (byte) => byte.charCodeAt(0)))

// A message as it travelled, its parts told apart; `why` stands behind its first line.
function message(bytes, why) {
  const blank = /\n\r?\n/.exec(bytes)
  const headEnd = blank ? blank.index + blank[0].length : bytes.length
  const isInterim = /^HTTP\/1\.1 1/.test(bytes)
  const pieces = []
  for (const line of asText(bytes.slice(0, headEnd)).match(/[^\n]*\n|[^\n]+/g) ?? []) {
    const text = line.replace(/\r?\n$/, '')
    const colon = text.indexOf(':') + 1
    if (pieces.length === 0) pieces.push(piece('first', text))
    else if (text === '') pieces.push(piece('empty', ''))
    else pieces.push(piece('name', text.slice(0, colon)), text.slice(colon))
    if (pieces.length === 1 && why && !isInterim) pieces.push(piece('why', `   # ${why}`))
    if (line === `${text}\n`) pieces.push(piece('why', ' LF'))
    pieces.push('\n')
  }
  const rest = bytes.slice(headEnd)
  if (isInterim && rest) return [...pieces, ...message(rest, why)]
  return rest ? [...pieces, body(asText(rest).replace(/\r\n/g, '\n'))] : pieces
}

// What the server has read of these bytes, and what it says.
function conversation(bytes, { exchanges, then }) {
  let from = 0
  const starts = exchanges.map(({ request }) => {
    const start = bytes.indexOf(request, from)
    from = start + request.length
    return start
  })
  const pieces = exchanges.flatMap(({ answer, why, connection }, at) => [
    piece('asked', ...message(bytes.slice(starts[at], starts[at + 1]))),
    ...message(answer, why),
    ...(connection ? [piece('why', `\n${connection}\n`)] : []),
    '\n',
  ])
  if (exchanges.length === 0) pieces.push(piece('asked', ...message(bytes)))
  return then ? [...pieces, piece('why', then)] : pieces
}

const form = at('write')
const typed = at('bytes')
const example = choice(form, 'Example', Object.keys(EXAMPLES))
const ends = choice(form, 'Lines end in', ['CR LF', 'LF alone'])

form.addEventListener('submit', async (event) => {
  event.preventDefault()
  const request = typed.value.replaceAll('\n', ends.selectedIndex === 0 ? '\r\n' : '\n')
  try {
    const response = await fetch(`${form.action}?${new URLSearchParams({ request })}`, { cache: 'no-store' })
    const said = response.ok ? conversation(asBytes(request), await response.json()) : [await response.text()]
    at('heard').replaceChildren(...said)
  } catch {
    at('heard').textContent = NO_ANSWER
  }
})
typed.addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) form.requestSubmit()
})
at('help').append(' Ctrl+Enter sends.')
typed.required = true

const take = () => { typed.value = EXAMPLES[example.value] }
example.addEventListener('input', take)
take()
