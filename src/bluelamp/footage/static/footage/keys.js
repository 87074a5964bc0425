// Single keys for the player. They can be turned off, or confined to the player (WCAG 2.2, 2.1.4).

const CONFINED = 'bluelamp-keys-confined'
const WRITING = 'input:not([type="range"]):not([type="checkbox"]):not([type="radio"]), textarea, select, [contenteditable]'

const remembered = () => {
  try {
    return localStorage.getItem(CONFINED) === 'yes'
  } catch {
    return false
  }
}

const remember = (confined) => {
  try {
    localStorage.setItem(CONFINED, confined ? 'yes' : 'no')
  } catch {
    // Private windows may refuse to remember; it holds until the page is left.
  }
}

export const bindKeys = (player) => {
  const dialog = player.find('[data-keys]')
  const everywhere = player.find('[data-keys-on]')
  everywhere.checked = !remembered()
  everywhere.addEventListener('change', () => remember(!everywhere.checked))

  const verbs = {
    k: () => player.toggle(),
    j: () => player.skip(-10),
    l: () => player.skip(10),
    ',': () => player.step(-1),
    '.': () => player.step(1),
    '<': () => player.faster(-1),
    '>': () => player.faster(1),
    ArrowLeft: () => player.skip(-5),
    ArrowRight: () => player.skip(5),
    Home: () => player.seek(0),
    End: () => player.seek(player.duration),
    m: () => player.mute(),
    f: () => player.fullscreen(),
    n: () => player.note(),
    '?': () => player.help()
  }

  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || dialog.open) return
    const target = event.target
    if (target.closest?.(WRITING)) return
    const inside = player.root.contains(target)
    if (!inside && !everywhere.checked) return
    // On a button or link the space bar keeps its meaning.
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key
    if (key === ' ') {
      if (target.closest('button, a, summary, input, [tabindex]')) return
      event.preventDefault()
      player.toggle()
      return
    }
    if (!inside && ['Home', 'End'].includes(key)) return
    const verb = /^\d$/.test(key) ? () => player.seek(player.duration * Number(key) / 10) : verbs[key]
    if (!verb) return
    event.preventDefault()
    verb()
  })
}
