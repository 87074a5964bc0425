// Sizes and times as people read them.

export const fileSize = (bytes) => {
  if (bytes < 1000) return `${bytes} bytes`
  const units = ['kB', 'MB', 'GB', 'TB']
  const power = Math.min(Math.floor(Math.log10(bytes) / 3), units.length)
  const value = bytes / 1000 ** power
  return `${value.toFixed(value < 10 ? 1 : 0)} ${units[power - 1]}`
}

export const seconds = (count) => {
  if (count < 60) return count === 1 ? '1 second' : `${count} seconds`
  const minutes = Math.round(count / 60)
  return minutes === 1 ? '1 minute' : `${minutes} minutes`
}

// Seconds left at the pace so far; null until there is a pace to speak of.
export class Remaining {
  constructor (now) {
    this.begun = now
    this.told = 0
  }

  update (now, done, total) {
    const elapsed = (now - this.begun) / 1000
    if (elapsed < 1 || done === 0) return null
    return Math.max(1, Math.ceil(((total - done) * elapsed) / done))
  }
}
