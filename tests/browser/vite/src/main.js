import './style.css'
import salmon from './salmon.svg'

document.querySelector('img').src = salmon
// A chunk of its own.
const { words } = await import('./later.js')
document.querySelector('p').textContent = `salmon: ${words}`
