// The player of the recording page: own controls over a native <video>, which keeps its own where this does not run.

import { bindKeys } from './keys.js'
import { clock, exact, londonTime } from './time.js'
import { bindTimeline } from './timeline.js'
import { bindTrack } from './track.js'

const SPEEDS = [0.25, 0.5, 1, 1.5, 2, 4, 8]

class Player {
  constructor (root) {
    this.root = root
    this.video = root.querySelector('video')
    this.facts = JSON.parse(root.querySelector('[data-player-facts]').textContent)
    this.started = new Date(this.facts.startedAt)
    this.find = (selector) => root.querySelector(selector)
  }

  start () {
    this.video.controls = false
    this.find('[data-controls]').hidden = false
    this.root.classList.add('footage-player--ready')
    this.root.addEventListener('click', (event) => this.onClick(event))
    this.video.addEventListener('click', () => this.toggle())
    for (const name of ['play', 'pause', 'ended']) this.video.addEventListener(name, () => this.showPlaying())
    for (const name of ['timeupdate', 'seeking', 'loadedmetadata']) this.video.addEventListener(name, () => this.showTime())
    this.video.addEventListener('ratechange', () => this.showSpeed())
    this.video.addEventListener('volumechange', () => this.showSound())
    this.video.addEventListener('error', () => this.explain())
    this.follow()
    this.showPlaying()
    this.showTime()
    this.showSpeed()
    this.showSound()
  }

  get duration () {
    return Number.isFinite(this.video.duration) ? this.video.duration : this.facts.duration
  }

  get paused () {
    return this.video.paused
  }

  toggle () {
    if (this.video.paused) this.play()
    else this.video.pause()
  }

  play () {
    this.video.play().catch((error) => {
      if (error.name !== 'AbortError') this.explain()
    })
  }

  // Nothing leaves the server, and nothing counts as watched, before the person plays or looks for a moment.
  seek (seconds) {
    if (this.video.preload === 'none') this.video.preload = 'auto'
    this.video.currentTime = Math.min(Math.max(seconds, 0), this.duration)
    this.showTime()
  }

  skip (seconds) {
    this.seek(this.video.currentTime + seconds)
  }

  // To the middle of the neighbouring picture, so that rounding never shows the same one again.
  step (pictures) {
    this.video.pause()
    const frame = this.facts.frame
    const now = Math.floor(this.video.currentTime / frame + 1e-3)
    this.seek((now + pictures + 0.5) * frame)
  }

  faster (direction) {
    const now = SPEEDS.indexOf(this.video.playbackRate)
    const next = (now < 0 ? SPEEDS.indexOf(1) : now) + direction
    this.video.playbackRate = SPEEDS[Math.min(Math.max(next, 0), SPEEDS.length - 1)]
  }

  mute () {
    this.video.muted = !this.video.muted
  }

  fullscreen () {
    if (document.fullscreenElement) document.exitFullscreen()
    else if (this.root.requestFullscreen) this.root.requestFullscreen()
    else if (this.video.webkitEnterFullscreen) this.video.webkitEnterFullscreen()
  }

  note () {
    const form = document.querySelector('[data-note-form]')
    if (!form) return
    this.video.pause()
    form.elements.at.value = clock(this.video.currentTime)
    form.elements.text.focus()
  }

  do (what) {
    const verbs = {
      play: () => this.toggle(),
      back: () => this.skip(-10),
      forward: () => this.skip(10),
      'frame-back': () => this.step(-1),
      'frame-forward': () => this.step(1),
      slower: () => this.faster(-1),
      faster: () => this.faster(1),
      mute: () => this.mute(),
      fullscreen: () => this.fullscreen(),
      help: () => this.help()
    }
    verbs[what]?.()
  }

  help () {
    const dialog = this.find('[data-keys]')
    if (dialog.open) dialog.close()
    else dialog.showModal()
  }

  onClick (event) {
    const button = event.target.closest('[data-do]')
    if (button) this.do(button.dataset.do)
  }

  // Moments named elsewhere on the page: the camera's events, notes.
  follow () {
    document.addEventListener('click', (event) => {
      const link = event.target.closest('[data-seek]')
      if (!link) return
      event.preventDefault()
      this.seek(Number(link.dataset.seek) / 1000)
      this.root.scrollIntoView({ block: 'nearest' })
    })
    const asked = /^#t=(\d+(?:\.\d+)?)$/.exec(location.hash)
    if (!asked) return
    const go = () => this.seek(Number(asked[1]))
    // What is there already when this runs says so no more.
    if (this.video.readyState >= HTMLMediaElement.HAVE_METADATA) go()
    else this.video.addEventListener('loadedmetadata', go, { once: true })
  }

  showPlaying () {
    const playing = !this.video.paused && !this.video.ended
    const button = this.find('[data-do="play"]')
    button.setAttribute('aria-label', playing ? 'Pause' : 'Play')
    this.root.classList.toggle('footage-player--playing', playing)
    this.showTime()
  }

  showTime () {
    const at = this.video.currentTime
    this.find('[data-at]').textContent = this.video.paused ? exact(at) : clock(at)
    this.find('[data-clock]').textContent = londonTime(new Date(this.started.getTime() + at * 1000))
  }

  showSpeed () {
    this.find('[data-speed]').textContent = `${this.video.playbackRate}×`
  }

  showSound () {
    const button = this.find('[data-do="mute"]')
    button.setAttribute('aria-pressed', String(this.video.muted))
    this.root.classList.toggle('footage-player--silent', this.video.muted)
  }

  explain () {
    const problem = this.find('.footage-screen__problem')
    problem.textContent = 'The footage cannot be played any more: the time for which it was opened may be over, ' +
      'or it may have been locked. The footage itself is safe. Reload the page to see why.'
    problem.hidden = false
  }
}

const root = document.querySelector('[data-player]')
if (root) {
  const player = new Player(root)
  player.start()
  bindTimeline(player)
  bindTrack(player)
  bindKeys(player)
}
