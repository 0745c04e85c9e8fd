// A body, and what comes back of it.
import { at, choice, exchange } from './wire.js'

const form = at('say')
const method = choice(form, 'Method', ['POST', 'PUT', 'PATCH', 'DELETE'])
const type = choice(form, 'Type', ['text/plain; charset=utf-8', 'application/json', 'application/octet-stream'])
form.addEventListener('submit', (event) => {
  event.preventDefault()
  exchange(at('said'), 'echo', { method: method.value, headers: { 'Content-Type': type.value }, body: at('words').value })
})
