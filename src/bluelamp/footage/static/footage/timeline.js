// The line under the picture: a slider for keyboard and pointer, the moment that plays, and the storyboard on hover.

import { clock, spoken } from './time.js'

export const bindTimeline = (player) => {
  const box = player.find('[data-timeline]')
  const slider = player.find('[data-seek-bar]')
  const now = player.find('[data-now]')
  const preview = player.find('[data-preview]')
  const picture = preview.querySelector('.footage-preview__picture')
  const words = preview.querySelector('span')
  const board = player.root.dataset.storyboard ? player.facts.storyboard : null

  slider.hidden = false
  slider.addEventListener('input', () => player.seek(Number(slider.value)))

  const show = () => {
    const at = player.video.currentTime
    const x = `${(100 * at / player.duration).toFixed(3)}%`
    now.setAttribute('x1', x)
    now.setAttribute('x2', x)
    slider.max = String(player.duration)
    slider.value = String(at)
    slider.setAttribute('aria-valuetext', `${spoken(at)} of ${spoken(player.duration)}`)
  }
  for (const name of ['timeupdate', 'seeking', 'seeked', 'loadedmetadata', 'durationchange']) player.video.addEventListener(name, show)

  // The events come four times a second; while it plays, the line moves with the picture.
  const glide = () => {
    if (player.paused) return
    show()
    requestAnimationFrame(glide)
  }
  player.video.addEventListener('play', glide)

  const hover = (event) => {
    const place = box.getBoundingClientRect()
    const share = Math.min(Math.max((event.clientX - place.left) / place.width, 0), 1)
    const seconds = share * player.duration
    words.textContent = clock(seconds)
    if (board?.tiles) showTile(picture, board, player.root.dataset.storyboard, seconds)
    preview.hidden = false
    const half = preview.offsetWidth / 2
    preview.style.left = `${Math.min(Math.max(share * place.width, half), place.width - half)}px`
  }
  box.addEventListener('pointermove', hover)
  box.addEventListener('pointerleave', () => { preview.hidden = true })
  show()
}

const showTile = (picture, board, url, seconds) => {
  const tile = Math.min(Math.floor(seconds * 1000 / board.interval_ms), board.tiles - 1)
  const column = tile % board.columns
  const row = Math.floor(tile / board.columns)
  picture.style.width = `${board.tile_w}px`
  picture.style.height = `${board.tile_h}px`
  picture.style.backgroundImage = `url("${url}")`
  picture.style.backgroundPosition = `-${column * board.tile_w}px -${row * board.tile_h}px`
}
