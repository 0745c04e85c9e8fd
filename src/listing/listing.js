const box = document.querySelector('input'), rows = document.querySelectorAll('tbody tr')
box.oninput = () => {
  const part = box.value.toLowerCase()
  for (const row of rows) row.hidden = !row.cells[0].textContent.toLowerCase().includes(part)
}
const two = (number) => String(number).padStart(2, '0')
for (const time of document.querySelectorAll('time')) {
  const at = new Date(time.dateTime)
  if (isNaN(at)) continue
  time.textContent = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${two(at.getHours())}:${two(at.getMinutes())}`
}
document.querySelector('th span').remove()
