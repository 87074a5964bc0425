// How moments are written; the server's own words are in timeline.clock and web.filters.

export const clock = (seconds) => {
  const whole = Math.max(0, Math.floor(seconds))
  const rest = String(whole % 60).padStart(2, '0')
  const minutes = Math.floor(whole / 60) % 60
  const hours = Math.floor(whole / 3600)
  return hours ? `${hours}:${String(minutes).padStart(2, '0')}:${rest}` : `${minutes}:${rest}`
}

// With a tenth, for single pictures.
export const exact = (seconds) => `${clock(seconds)}.${Math.floor((seconds % 1) * 10 + 1e-6)}`

export const spoken = (seconds) => {
  const whole = Math.floor(seconds)
  const parts = [
    [Math.floor(whole / 3600), 'hour'],
    [Math.floor(whole / 60) % 60, 'minute'],
    [whole % 60, 'second']
  ]
  const said = parts.filter(([n], i) => n || i === 2).map(([n, word]) => `${n} ${word}${n === 1 ? '' : 's'}`)
  return said.join(' ')
}

const london = new Intl.DateTimeFormat('en-GB', {
  timeZone: 'Europe/London', hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false
})

export const londonTime = (date) => london.format(date)
