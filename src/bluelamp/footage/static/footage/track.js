// A dot on the drawn path, where the camera was at the moment that plays.

export const bindTrack = (player) => {
  const dot = document.querySelector('[data-track-now]')
  const points = player.facts.track
  if (!dot || points.length < 2) return

  const show = () => {
    const at = player.video.currentTime * 1000
    const next = points.findIndex((point) => point[0] > at)
    const [before, after] = next < 0
      ? [points.at(-1), points.at(-1)]
      : [points[Math.max(next - 1, 0)], points[next]]
    const whole = after[0] - before[0]
    const share = whole > 0 ? Math.min(Math.max((at - before[0]) / whole, 0), 1) : 0
    dot.setAttribute('cx', String(before[1] + (after[1] - before[1]) * share))
    dot.setAttribute('cy', String(before[2] + (after[2] - before[2]) * share))
    dot.setAttribute('visibility', 'visible')
  }
  for (const name of ['timeupdate', 'seeking', 'loadedmetadata']) player.video.addEventListener(name, show)
}
